using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Tests.Ahead;

public sealed class CodeCacheTests
{
    static byte[] Binary(int number) => WatText.ToBinary(
        $"(module (func (export \"f\") (result i32) (i32.const {number})))");

    static readonly string[] AllDamages =
        ["cut short", "longer", "one bit", "empty", "text", "another module's", "other lengths", "not readable"];

    public static TheoryData<string> Damages => new(AllDamages);

    [SkippableTheory]
    [MemberData(nameof(Damages))]
    public void A_file_that_is_not_what_it_should_be_is_made_anew(string damage)
    {
        using var folder = new CacheFolder();
        // A number for each case: a process keeps what it has loaded.
        var module = Binary(1_000 + Array.IndexOf(AllDamages, damage));
        var path = folder.Cache.Compile(new(), module).Path;
        var good = File.ReadAllBytes(path);
        Damage(folder, path, good, damage);

        var unusable = Module.Compile(folder.Reader(), module);
        var report = folder.Cache.Compile(new(), module);
        var usable = Module.Compile(folder.Reader(), module);

        Assert.False(unusable.IsAheadOfTime);
        Assert.False(report.WasThere);
        Assert.True(usable.IsAheadOfTime);
        Assert.Equal(good.Length, new FileInfo(path).Length);
    }

    static void Damage(CacheFolder folder, string path, byte[] good, string damage)
    {
        switch (damage)
        {
            case "cut short": File.WriteAllBytes(path, good[..^1]); break;
            case "longer": File.WriteAllBytes(path, [.. good, 0]); break;
            case "one bit":
                var changed = good.ToArray();
                changed[good.Length / 2] ^= 1;
                File.WriteAllBytes(path, changed);
                break;
            case "empty": File.WriteAllBytes(path, []); break;
            case "text": File.WriteAllText(path, new string('x', 10_000)); break;
            case "another module's": File.Copy(folder.Cache.Compile(new(), Binary(1)).Path, path, true); break;
            case "other lengths":
                var moved = good.ToArray();
                // The footer: magic, then the lengths of image, module, settings and links.
                moved[good.Length - CacheFile.FooterBytes + 8]++;
                moved[good.Length - CacheFile.FooterBytes + 20]--;
                File.WriteAllBytes(path, moved);
                break;
            case "not readable":
                File.Delete(path);
                Directory.CreateDirectory(path);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(damage), damage, null);
        }
    }

    [SkippableFact]
    public void What_is_there_is_not_compiled_again()
    {
        using var folder = new CacheFolder();

        var first = folder.Cache.Compile(new(), Binary(2));
        var second = folder.Cache.Compile(new(), Binary(2));

        Assert.False(first.WasThere);
        Assert.True(second.WasThere);
        Assert.Equal(first.Path, second.Path);
    }

    [SkippableFact]
    public void Options_and_modules_have_files_of_their_own()
    {
        using var folder = new CacheFolder();

        string[] paths =
        [
            folder.Cache.Compile(new(), Binary(3)).Path, folder.Cache.Compile(new() { IsMetered = true }, Binary(3)).Path,
            folder.Cache.Compile(new(), Binary(4)).Path,
            folder.Cache.Compile(new() { MemoryChecks = MemoryChecks.Guarded }, Binary(3)).Path,
        ];

        Assert.Equal(4, paths.Distinct().Count());
    }

    // One that is new has to be thought of: does code depend on it?
    [Fact]
    public void Every_option_that_code_depends_on_is_in_the_key()
    {
        var plain = CacheKey.Of(new(), default);
        EngineOptions[] others =
        [
            new() { IsMetered = true }, new() { IsPortable = true }, new() { Fault = CompilerFault.RoundsUp },
            new() { Without = SafetyCheck.Locals }, new() { IsVerified = false },
            new() { MemoryChecks = MemoryChecks.Guarded },
        ];
        string[] apart =
        [
            nameof(EngineOptions.Cache), nameof(EngineOptions.IsAheadOfTime), nameof(EngineOptions.Features),
            nameof(EngineOptions.MemoryImageBytesMax), nameof(EngineOptions.PlatformFault),
            nameof(EngineOptions.Unproven), nameof(EngineOptions.Rewrite), // of the JIT's images alone
        ];

        Assert.All(others, options => Assert.False(plain.IsSame(CacheKey.Of(options, default))));
        Assert.All(others, options => Assert.NotEqual(plain.Name, CacheKey.Of(options, default).Name));
        Assert.Equal(
            apart.Length + others.Length,
            typeof(EngineOptions).GetProperties(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Count(property => property.Name != "EqualityContract"));
    }

    [SkippableFact]
    public async Task Several_at_a_time_compile_the_same_module()
    {
        using var folder = new CacheFolder();
        var other = new CodeCache(folder.Path);

        var reports = await Task.WhenAll(new[] { folder.Cache, other, folder.Cache }.Select(
            cache => Task.Run(() => cache.Compile(new(), Binary(5)))));

        Assert.Single(reports.Select(report => report.Path).Distinct());
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
        Assert.True(Module.Compile(folder.Reader(), Binary(5)).IsAheadOfTime);
    }

    [SkippableFact]
    public void Files_unused_longest_leave_a_cache_that_is_full()
    {
        using var folder = new CacheFolder();
        var size = folder.Cache.Compile(new(), Binary(6)).Bytes;
        var small = new CodeCache(folder.Path) { BytesMax = (2 * size) + (size / 2) };
        var old = folder.Cache.Compile(new(), Binary(6)).Path;
        File.SetLastWriteTimeUtc(old, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        var paths = new[] { 7, 8 }.Select(number => small.Compile(new(), Binary(number)).Path).ToArray();

        Assert.Equal(paths.Order(), Directory.GetFiles(folder.Path).Order());
    }

    [SkippableFact]
    public void What_processes_left_behind_that_ended_in_between_goes()
    {
        using var folder = new CacheFolder();
        var (file, work) = (Path.Combine(folder.Path, "0123.made"), Path.Combine(folder.Path, "0123.work"));
        File.WriteAllText(file, "half");
        Directory.CreateDirectory(work);
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, old);
        Directory.SetLastWriteTimeUtc(work, old);

        var made = folder.Cache.Compile(new(), Binary(13)).Path;

        Assert.Equal([made], Directory.GetFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public void A_folder_that_others_may_use_is_not_used()
    {
        using var folder = new CacheFolder();
        var said = new List<string>();
        var cache = new CodeCache(folder.Path) { Notice = said.Add };
        cache.Compile(new(), Binary(9));
        File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.GroupRead);

        var engine = new Engine(new() { Cache = cache });
        Assert.False(Module.Compile(engine, Binary(9)).IsAheadOfTime);
        Assert.False(Module.Compile(engine, Binary(9)).IsAheadOfTime);

        Assert.Contains("make it 700", Assert.Throws<AheadException>(() => cache.Compile(new(), Binary(9))).Message);
        Assert.Single(said);
    }

    [SkippableFact]
    public void A_folder_that_is_made_is_its_owners_alone()
    {
        using var folder = new CacheFolder();
        var path = Path.Combine(folder.Path, "code");

        new CodeCache(path).Compile(new(), Binary(10));

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
    }

    [SkippableFact]
    public void Compiling_ends_at_its_time_limit()
    {
        using var folder = new CacheFolder();
        var cache = new CodeCache(folder.Path) { CompileTimeMax = TimeSpan.FromMilliseconds(1) };
        var began = Stopwatch.GetTimestamp();

        var failure = Assert.Throws<AheadException>(() => cache.Compile(new(), Binary(11)));

        Assert.Contains("stopped", failure.Message);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public void Compiling_ends_at_its_limit_of_memory()
    {
        using var folder = new CacheFolder();
        var cache = new CodeCache(folder.Path) { CompileAddressBytesMax = 128L << 20 };

        var failure = Assert.Throws<AheadException>(() => cache.Compile(new(), Binary(14)));

        Assert.Contains("stays with the JIT", failure.Message);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        Assert.False(Module.Compile(folder.Reader(), Binary(14)).IsAheadOfTime);
        Assert.False(folder.Cache.Compile(new(), Binary(14)).WasThere);
    }

    [SkippableFact]
    public async Task A_compiler_ends_with_the_process_that_started_it()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "crossgen2 is used on Linux only");
        string[] words = ["-c", Crossgen.Watched, "/bin/sh", "-c", "echo $$; exec sleep 1000"];
        using var watched = Process.Start(new ProcessStartInfo("/bin/sh", words)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var compiler = int.Parse((await watched.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        Assert.False(watched.HasExited);

        // As when the process is killed: the kernel closes what it held.
        watched.StandardInput.Close();
        await watched.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(128 + 9, watched.ExitCode);
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(compiler));
    }

    [SkippableFact]
    public void A_portable_engine_uses_no_cache()
    {
        using var folder = new CacheFolder();
        folder.Cache.Compile(new(), Binary(12));

        var module = Module.Compile(new(new() { Cache = folder.Cache, IsPortable = true }), Binary(12));

        Assert.False(module.IsAheadOfTime);
    }

    [SkippableFact]
    public void What_is_no_module_is_told_as_by_every_other_way()
    {
        using var folder = new CacheFolder();

        Assert.Throws<MalformedException>(() => folder.Cache.Compile(new(), new byte[] { 1, 2, 3 }));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
