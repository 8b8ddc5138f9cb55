using System.Diagnostics;

namespace Millrace.Bench.Figure1;

/// <summary>The rows that run in this process, and the C that is their measure.</summary>
sealed class OwnRows
{
    public const string Scalar = "wasm, scalar, one thread";
    public const string Simd = "wasm, 128-bit SIMD, one thread";
    public const string Threads = "wasm, SIMD and threads";
    public const string ScalarC = "C, scalar, one thread";
    public const string SimdC = "C, 128-bit SSE, one thread";
    public const string ThreadsC = "C, SSE and threads";

    readonly int _n;
    readonly int _threads;

    public OwnRows(int n, int threads)
    {
        (_n, _threads) = (n, threads);
        // The tiers of the compiler behind us.
        for (var i = 0; i < 40; i++) MultiplyHere(512, 1);
    }

    public MatrixRow[] All(MatrixProcess run, int threads)
    {
        var bits = CompiledMatrix.Bits;
        return
        [
            Wasm(Scalar, 512, "scalar", "scalar", 1),
            Wasm(Simd, 1024, "simd", "vector128", 1),
            Wasm(Threads, 2048, "threads", "vector128", threads),
            new($"C#, {bits}-bit vectors, parallel", _n, _ => Task.FromResult(MultiplyHere(_n, _threads))) { IsOurs = true },
            C(ScalarC, 512, "scalar", 1),
            C(SimdC, 1024, "vector128", 1),
            C(ThreadsC, 2048, "vector128", threads),
        ];

        MatrixRow C(string name, int count, string step, int on) =>
            new(name, count, rows => run.CAsync(MatrixProcess.AsWritten, step, _n, rows, on)) { IsAside = true };
    }

    // Made anew each time, so that one memory of 400 MB is there at a time.
    MatrixRow Wasm(string name, int count, string module, string step, int threads)
    {
        return new(name, count, Run) { IsOurs = true };

        Task<MatrixAnswer> Run(int rows)
        {
            using var matrix = new WasmMatrix(module, step, _n, threads);
            return Task.FromResult(matrix.Run(rows));
        }
    }

    static MatrixAnswer MultiplyHere(int n, int threads)
    {
        var (a, b, c) = (new double[n * n], new double[n * n], new double[n * n]);
        CompiledMatrix.Fill(a, b, c, n);
        var began = Stopwatch.GetTimestamp();
        CompiledMatrix.Multiply(a, b, c, n, threads);
        return new(Stopwatch.GetElapsedTime(began), CompiledMatrix.Sum(c, n, 1), CompiledMatrix.Sum(c, n, n));
    }
}
