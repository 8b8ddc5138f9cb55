using System.Collections.Immutable;
using System.Diagnostics;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Calls;

namespace Millrace.Wasi.Tests;

/// <summary>Whatever a guest passes, a call answers an errno.</summary>
public sealed class FuzzTests
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    static readonly string[] Paths = ["a", "d", "d/a", "l", "..", "d/..", "/", ".", "d/l/a", "a/", "\u00fc", "d//a", ""];

    /// <summary>Time in which nothing waits.</summary>
    sealed class NoTime : IWasiSystem
    {
        public long ReadClock(WasiClock clock) => 5;

        public long ClockResolution(WasiClock clock) => 1;

        public void FillRandom(Span<byte> buffer) => buffer.Fill(1);

        public bool Sleep(ulong nanoseconds) => true;
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(true, 3)]
    [InlineData(null, 4)]
    public void Random_calls_answer_an_errno_and_nothing_else(bool? isPortable, int seed)
    {
        using var folder = new HostFolder();
        var options = new WasiOptions { System = new NoTime(), DescriptorsMax = 32, Stdin = new MemoryStream(new byte[100]) };
        using var guest = new Guest(isPortable is { } portable
            ? options with { Preopens = [new(folder.Root, "/", false)], IsPortable = portable }
            : options with { Files = new(ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty, 1 << 20, () => 0) });
        var entries = CallTable.Preview1;
        var chance = new Random(seed);
        var answers = new HashSet<Errno>();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 30_000 && watch.Elapsed < Longest; i++)
        {
            var entry = entries[chance.Next(entries.Length)];
            if (entry.Name is "proc_exit" or "fd_close" or "fd_renumber" or "fd_fdstat_set_rights" && chance.Next(100) > 0) continue;
            try
            {
                answers.Add(guest.Call(entry.Name, [.. Arguments(entry, guest, chance)]));
            }
            catch (ProcExitException)
            {
            }
        }

        Assert.Contains(Errno.Success, answers);
        // It came further than to bad descriptors.
        Assert.Contains(Errno.Exist, answers);
        Assert.Contains(Errno.Notempty, answers);
        Assert.All(answers, errno => Assert.True(Enum.IsDefined(errno)));
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(folder.Outside).Select(Path.GetFileName));
    }

    /// <summary>Mostly what could be meant, now and then anything.</summary>
    static IEnumerable<object> Arguments(CallEntry entry, Guest guest, Random chance)
    {
        var isPath = entry.Name.StartsWith("path_", StringComparison.Ordinal);
        for (var i = 0; i < entry.Parameters.Length; i++)
        {
            if (isPath && i == 0 && chance.Next(4) > 0)
            {
                yield return 3;
                continue;
            }

            if (entry.Parameters[i] == 'I')
            {
                yield return chance.Next(3) switch { 0 => chance.Next(100), 1 => (long)(Rights.File | Rights.Directory), _ => chance.NextInt64() };
                continue;
            }

            if (isPath && i is 1 or 2 && i + 1 < entry.Parameters.Length && chance.Next(3) > 0)
            {
                var (at, length) = guest.Text(Paths[chance.Next(Paths.Length)]);
                yield return at;
                yield return length;
                i++;
                continue;
            }

            yield return chance.Next(5) switch
            {
                0 => chance.Next(),
                1 => chance.Next(60000),
                2 => 0,
                3 => 3,
                _ => chance.Next(16),
            };
        }
    }
}
