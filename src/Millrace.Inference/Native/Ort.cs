using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.Native;

/// <summary>
/// <c>onnxruntime_c_api.h</c>, name for name: what this project calls of the function table that <c>OrtGetApiBase</c> gives.
/// Entries are only ever appended, so the places hold for every release from 1.17 on.
/// </summary>
static unsafe class Ort
{
    /// <summary>The table's version: the oldest that has all we call.</summary>
    const uint OrtApiVersion = 17;

    const int OrtLoggingLevelFatal = 4;
    const int OrtDeviceAllocator = 0;
    const int OrtMemTypeDefault = 0;

    /// <summary><c>OrtErrorCode</c>: an operator has no implementation here.</summary>
    public const int OrtNotImplemented = 9;

    /// <summary><c>ONNXType</c>: the only kind the border knows.</summary>
    public const int OnnxTypeTensor = 1;

    static readonly Lock Loading = new();
    static void** _api;
    static nint _env;

    /// <summary>Memory that stays where .NET keeps it.</summary>
    public static nint CpuMemory { get; private set; }

    /// <summary>The library's version; null before it is loaded.</summary>
    public static string? Version { get; private set; }

    /// <summary>Loads the library. Once per process.</summary>
    /// <exception cref="NnException">It is not there, or it is another version than we know.</exception>
    public static void Load()
    {
        lock (Loading)
        {
            if (_api != null) return;
            var path = NativeLibraries.OnnxRuntime()
                ?? throw new NnException(NnErrno.InvalidEncoding, NativeLibraries.WhyOnnxRuntimeIsAbsent);
            try
            {
                Open(path);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
            {
                throw new NnException(NnErrno.InvalidEncoding, $"ONNX Runtime cannot be loaded: {e.Message}");
            }
        }
    }

    static void Open(string path)
    {
        var export = NativeLibrary.GetExport(NativeLibrary.Load(path), "OrtGetApiBase");
        var getApiBase = (delegate* unmanaged[Cdecl]<void**>)export;
        var apiBase = getApiBase();
        var api = ((delegate* unmanaged[Stdcall]<uint, void**>)apiBase[0])(OrtApiVersion);
        Version = Marshal.PtrToStringUTF8(((delegate* unmanaged[Stdcall]<nint>)apiBase[1])());
        if (api == null) throw new NnException(NnErrno.InvalidEncoding, $"ONNX Runtime {Version} is not known here; 1.17 and later are");

        nint env = 0, memory = 0;
        fixed (byte* name = "millrace\0"u8)
        {
            Check(((delegate* unmanaged[Stdcall]<int, byte*, nint*, nint>)api[3])(OrtLoggingLevelFatal, name, &env), api);
        }

        Check(((delegate* unmanaged[Stdcall]<int, int, nint*, nint>)api[69])(OrtDeviceAllocator, OrtMemTypeDefault, &memory), api);
        (_env, CpuMemory) = (env, memory);
        _api = api;
    }

    /// <summary>Throws what a call answered; zero is success.</summary>
    /// <exception cref="OrtException">The call failed.</exception>
    public static void Check(nint status)
    {
        if (status != 0) Check(status, _api);
    }

    static void Check(nint status, void** api)
    {
        if (status == 0) return;
        var code = ((delegate* unmanaged[Stdcall]<nint, int>)api[1])(status);
        var message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Stdcall]<nint, nint>)api[2])(status)) ?? "no message";
        ((delegate* unmanaged[Stdcall]<nint, void>)api[93])(status);
        throw new OrtException(code, message.ReplaceLineEndings(" ").Trim());
    }

    public static nint CreateSessionFromArray(void* model, nuint length, nint options, nint* session) =>
        ((delegate* unmanaged[Stdcall]<nint, void*, nuint, nint, nint*, nint>)_api[8])(_env, model, length, options, session);

    public static nint Run(
        nint session, nint options, nint* inputNames, nint* inputs, nuint inputCount,
        nint* outputNames, nuint outputCount, nint* outputs) =>
        ((delegate* unmanaged[Stdcall]<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)_api[9])(
            session, options, inputNames, inputs, inputCount, outputNames, outputCount, outputs);

    public static nint CreateSessionOptions(nint* options) => ((delegate* unmanaged[Stdcall]<nint*, nint>)_api[10])(options);

    public static nint SetIntraOpNumThreads(nint options, int threads) =>
        ((delegate* unmanaged[Stdcall]<nint, int, nint>)_api[24])(options, threads);

    public static nint SetInterOpNumThreads(nint options, int threads) =>
        ((delegate* unmanaged[Stdcall]<nint, int, nint>)_api[25])(options, threads);

    public static nint SessionGetCount(nint session, bool isOutput, nuint* count) =>
        ((delegate* unmanaged[Stdcall]<nint, nuint*, nint>)_api[isOutput ? 31 : 30])(session, count);

    public static nint SessionGetTypeInfo(nint session, bool isOutput, nuint index, nint* info) =>
        ((delegate* unmanaged[Stdcall]<nint, nuint, nint*, nint>)_api[isOutput ? 34 : 33])(session, index, info);

    public static nint SessionGetName(nint session, bool isOutput, nuint index, nint* name) =>
        ((delegate* unmanaged[Stdcall]<nint, nuint, nint, nint*, nint>)_api[isOutput ? 37 : 36])(session, index, Allocator(), name);

    public static nint CreateRunOptions(nint* options) => ((delegate* unmanaged[Stdcall]<nint*, nint>)_api[39])(options);

    public static nint RunOptionsSetTerminate(nint options) => ((delegate* unmanaged[Stdcall]<nint, nint>)_api[46])(options);

    public static nint CreateTensorWithData(void* bytes, nuint length, long* sizes, nuint rank, int type, nint* value) =>
        ((delegate* unmanaged[Stdcall]<nint, void*, nuint, long*, nuint, int, nint*, nint>)_api[49])(
            CpuMemory, bytes, length, sizes, rank, type, value);

    public static nint IsTensor(nint value, int* isTensor) => ((delegate* unmanaged[Stdcall]<nint, int*, nint>)_api[50])(value, isTensor);

    public static nint GetTensorMutableData(nint value, void** bytes) =>
        ((delegate* unmanaged[Stdcall]<nint, void**, nint>)_api[51])(value, bytes);

    /// <summary>Gives null for what is no tensor; nothing may be asked of that null.</summary>
    public static nint CastTypeInfoToTensorInfo(nint info, nint* tensorInfo) =>
        ((delegate* unmanaged[Stdcall]<nint, nint*, nint>)_api[55])(info, tensorInfo);

    public static nint GetOnnxTypeFromTypeInfo(nint info, int* type) =>
        ((delegate* unmanaged[Stdcall]<nint, int*, nint>)_api[56])(info, type);

    public static nint GetTensorElementType(nint info, int* type) =>
        ((delegate* unmanaged[Stdcall]<nint, int*, nint>)_api[60])(info, type);

    public static nint GetDimensionsCount(nint info, nuint* rank) =>
        ((delegate* unmanaged[Stdcall]<nint, nuint*, nint>)_api[61])(info, rank);

    public static nint GetDimensions(nint info, long* sizes, nuint rank) =>
        ((delegate* unmanaged[Stdcall]<nint, long*, nuint, nint>)_api[62])(info, sizes, rank);

    public static nint GetTensorTypeAndShape(nint value, nint* info) =>
        ((delegate* unmanaged[Stdcall]<nint, nint*, nint>)_api[65])(value, info);

    public static void Free(nint allocated) => ((delegate* unmanaged[Stdcall]<nint, nint, nint>)_api[76])(Allocator(), allocated);

    public static void ReleaseSession(nint session) => Release(95, session);

    public static void ReleaseValue(nint value) => Release(96, value);

    public static void ReleaseRunOptions(nint options) => Release(97, options);

    public static void ReleaseTypeInfo(nint info) => Release(98, info);

    public static void ReleaseTensorTypeAndShapeInfo(nint info) => Release(99, info);

    public static void ReleaseSessionOptions(nint options) => Release(100, options);

    static void Release(int index, nint it) => ((delegate* unmanaged[Stdcall]<nint, void>)_api[index])(it);

    static nint Allocator()
    {
        nint allocator;
        Check(((delegate* unmanaged[Stdcall]<nint*, nint>)_api[78])(&allocator));
        return allocator;
    }
}

/// <summary>A call of ONNX Runtime failed.</summary>
sealed class OrtException(int code, string message) : Exception(message)
{
    /// <summary><c>OrtErrorCode</c></summary>
    public int Code { get; } = code;
}
