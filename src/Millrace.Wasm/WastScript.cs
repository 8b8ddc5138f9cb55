using System.Runtime.ExceptionServices;
using Millrace.Wasm.Scripts;
using Millrace.Wasm.Text;

namespace Millrace.Wasm;

/// <summary>Scripts of the specification's test suite, <c>.wast</c>.</summary>
public static class WastScript
{
    // Scripts hold several runaway recursions; a thread with room saves the engine a thread for each call.
    const int StackBytes = 16 << 20;

    /// <summary>
    /// Runs one script in a store of its own. What goes wrong in it is in the report, also when the file is no script
    /// at all.
    /// </summary>
    /// <param name="engine">The engine under test.</param>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Stops the script; the report then says that it did not end.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static WastReport Run(Engine engine, string path, CancellationToken cancellation = default)
    {
        var bytes = File.ReadAllBytes(path);
        WastReport? report = null;
        ExceptionDispatchInfo? fault = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    report = Run(engine, path, bytes, cancellation);
                }
                catch (Exception caught)
                {
                    // The edge of the thread: carried over to the caller's.
                    fault = ExceptionDispatchInfo.Capture(caught);
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        fault?.Throw();
        return report!;
    }

    static WastReport Run(Engine engine, string path, byte[] bytes, CancellationToken cancellation)
    {
        try
        {
            var source = TextSource.FromUtf8(bytes);
            using var runner = new ScriptRunner(engine, source);
            return runner.Run(path, cancellation);
        }
        catch (MalformedException fault)
        {
            return new(path, 0, [], [], [new(1, fault.Message)]);
        }
    }

    /// <summary>
    /// The scripts that a path means: the file itself, or all <c>.wast</c> files in and under a folder, in order. The
    /// folders <c>proposals</c> and <c>legacy</c> are left out unless the path leads into one.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is neither a file nor a folder of that name.</exception>
    public static IReadOnlyList<string> FilesIn(string path)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new FileNotFoundException($"no file or folder \"{path}\"", path);
        var files = new List<string>(Directory.GetFiles(path, "*.wast"));
        foreach (var folder in Directory.GetDirectories(path))
        {
            if (Path.GetFileName(folder) is not ("proposals" or "legacy")) files.AddRange(FilesIn(folder));
        }

        files.Sort(StringComparer.Ordinal);
        return files;
    }
}
