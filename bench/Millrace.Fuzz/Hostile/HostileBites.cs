using System.Diagnostics;
using System.Text;

namespace Millrace.Fuzz.Hostile;

/// <summary>
/// Whether the hostile modules bite: with the check switched off that stops one, its expectation fails or the process
/// dies. So each runs in a process of its own, with little memory and little time.
/// </summary>
static class HostileBites
{
    const string HeapLimit = "0x20000000"; // 512 MiB: what eats more ends there, and not the machine

    // As little stack as a thread may have: what needs more shows itself.
    const int StackBytes = 1 << 20;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>For the child: ends with 0 where it happened as it must, else with 1 and what happened instead.</summary>
    public static int RunOne(string name, string check)
    {
        var attack = HostileCase.Read(name);
        var options = HostileCase.Without(check);
        var happened = "";
        var thread = new Thread(Run, StackBytes);
        thread.Start();
        thread.Join();
        Console.WriteLine(happened);
        return happened == attack.Expected ? 0 : 1;

        void Run()
        {
            try
            {
                happened = HostileRun.Of(attack, options);
            }
            catch (Exception error)
            {
                // The edge of the thread. The check was what kept .NET's own exceptions from whoever called.
                happened = $"{error.GetType().Name} of .NET";
            }
        }
    }

    /// <summary>What happened without that check; null: all as with it.</summary>
    public static async Task<string?> FindAsync(string name, string check, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(HostileBites).Assembly.Location, "--hostile", name, "--without", check])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapLimit;
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            cancel.ThrowIfCancellationRequested();
            return $"still at it after {Patience.TotalSeconds:0} s";
        }

        var (said, complained) = ((await output).Trim(), (await errors).Trim());
        return process.ExitCode switch
        {
            0 => null,
            1 when said.Length > 0 => said.Split('\n')[0],
            1 => throw new InvalidOperationException(complained),
            _ => $"the process died: {(complained.Length == 0 ? $"signal {process.ExitCode - 128}" : complained.Split('\n')[0])}",
        };
    }

    /// <summary>All modules, as a table; and whether all bite.</summary>
    public static async Task<(string? Text, bool IsGood)> TableAsync(CancellationToken cancel)
    {
        var text = new StringBuilder("| module | what it must get | without | what happens then |\n|---|---|---|---|\n");
        var toothless = 0;
        foreach (var name in HostileCase.Names)
        {
            var attack = HostileCase.Read(name);
            var found = attack.Check.Length == 0 ? null : await FindAsync(name, attack.Check, cancel);
            if (found is null) toothless++;
            var row = $"| {name} | {attack.Expected} | {attack.Check} | {found?.Replace("|", "", StringComparison.Ordinal) ?? "**the same**"} |";
            Console.Error.WriteLine(row);
            text.Append(row).Append('\n');
        }

        return (text.ToString(), toothless == 0);
    }
}
