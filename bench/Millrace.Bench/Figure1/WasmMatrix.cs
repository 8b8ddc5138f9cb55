using System.Diagnostics;
using Millrace.Bench.Kernels;
using Millrace.Wasm;

namespace Millrace.Bench.Figure1;

/// <summary>Runs one of the modules of <c>matmul.c</c>, on as many threads as it has instances.</summary>
sealed class WasmMatrix : IDisposable
{
    const int StackBytes = 1 << 18;
    const int PagesMax = 8192;

    readonly Engine _engine = new(new() { Features = WasmFeatures.All });
    readonly List<Store> _stores = [];
    readonly Instance[] _instances;
    readonly string _step;
    readonly int _n;

    public WasmMatrix(string module, string step, int n, int threads)
    {
        (_step, _n) = (step, n);
        var compiled = Module.Compile(_engine, File.ReadAllBytes(KernelProcess.Shipped($"{module}.wasm")));
        _instances = new Instance[threads];
        var linker = new Linker(_engine);
        for (var i = 0; i < threads; i++)
        {
            _stores.Add(new Store(_engine));
            if (i == 0 && threads > 1)
                linker.Define("env", "memory", new Memory(_stores[0], PagesMax, PagesMax, isShared: true));
            _instances[i] = linker.Instantiate(_stores[i], compiled);
        }

        // Loads and compiles what is timed; each thread but the first gets a stack of its own, behind the matrices.
        var end = Prepare();
        for (var i = 1; i < threads; i++)
            _instances[i].FindGlobal("__stack_pointer")!.Value = Value.From((end + 15 & ~15) + (i * StackBytes));
        Step(0, 0, 64);
    }

    public MatrixAnswer Run(int rows)
    {
        Prepare();
        var began = Stopwatch.GetTimestamp();
        var band = rows / _instances.Length;
        var others = Enumerable.Range(1, _instances.Length - 1)
            .Select(i => new Thread(() => Step(i, band * i, band * (i + 1)))).ToArray();
        foreach (var other in others) other.Start();
        Step(0, 0, band);
        foreach (var other in others) other.Join();
        return new(Stopwatch.GetElapsedTime(began), Sum(1), Sum(rows));
    }

    public void Dispose()
    {
        foreach (var store in _stores) store.Dispose();
        _engine.Dispose();
    }

    int Prepare() => Call(0, "prepare", _n, _instances.Length * StackBytes)[0].AsI32;

    void Step(int thread, int from, int to) => Call(thread, _step, _n, from, to);

    long Sum(int rows) => Call(0, "check", _n, 0, rows)[0].AsI64;

    Value[] Call(int thread, string name, params int[] arguments) =>
        _instances[thread].FindFunction(name)!.Call([.. arguments.Select(Value.From)]);
}
