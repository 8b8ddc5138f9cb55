using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.Native;

/// <summary><c>natives/torch/shim.cpp</c>, name for name.</summary>
static unsafe class Torch
{
    const int ErrorLengthMax = 600;
    static readonly Lock Loading = new();
    static nint _library;

    public static delegate* unmanaged[Cdecl]<byte*, long, nint> Load { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> Unload { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long> Inputs { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long> Required { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long> Outputs { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long, nint> InputName { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long, int*, int*, long*, void**, nint> Run { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> Free { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long> Count { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long, int> Type { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long, long> Rank { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long, long, long> Size { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, long, void*, long, void> Copy { get; private set; }

    /// <summary>What the last call of this thread that failed said, on one line.</summary>
    public static string Error
    {
        get
        {
            var error = (delegate* unmanaged[Cdecl]<nint>)Export("error");
            var text = (Marshal.PtrToStringUTF8(error()) ?? "").ReplaceLineEndings(" ").Trim();
            return text.Length <= ErrorLengthMax ? text : text[..ErrorLengthMax] + "…";
        }
    }

    /// <summary>Loads the library, compiled where it is not yet. Once per process.</summary>
    /// <exception cref="NnException">It is not there, or cannot be loaded.</exception>
    public static void Open(TorchLibrary torch, int threads)
    {
        if (torch.WhyAbsent is { } reason) throw new NnException(NnErrno.InvalidEncoding, reason);
        lock (Loading)
        {
            if (_library != 0) return;
            var path = torch.Make();
            try
            {
                _library = NativeLibrary.Load(path);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                throw new NnException(NnErrno.InvalidEncoding, $"libtorch cannot be loaded: {e.Message}");
            }

            Bind();
            ((delegate* unmanaged[Cdecl]<int, int>)Export("threads"))(threads);
        }
    }

    static void Bind()
    {
        Load = (delegate* unmanaged[Cdecl]<byte*, long, nint>)Export("load");
        Unload = (delegate* unmanaged[Cdecl]<nint, void>)Export("unload");
        Inputs = (delegate* unmanaged[Cdecl]<nint, long>)Export("inputs");
        Required = (delegate* unmanaged[Cdecl]<nint, long>)Export("required");
        Outputs = (delegate* unmanaged[Cdecl]<nint, long>)Export("outputs");
        InputName = (delegate* unmanaged[Cdecl]<nint, long, nint>)Export("input_name");
        Run = (delegate* unmanaged[Cdecl]<nint, long, int*, int*, long*, void**, nint>)Export("run");
        Free = (delegate* unmanaged[Cdecl]<nint, void>)Export("free");
        Count = (delegate* unmanaged[Cdecl]<nint, long>)Export("count");
        Type = (delegate* unmanaged[Cdecl]<nint, long, int>)Export("type");
        Rank = (delegate* unmanaged[Cdecl]<nint, long, long>)Export("rank");
        Size = (delegate* unmanaged[Cdecl]<nint, long, long, long>)Export("size");
        Copy = (delegate* unmanaged[Cdecl]<nint, long, void*, long, void>)Export("copy");
    }

    static nint Export(string name) => NativeLibrary.GetExport(_library, $"mr_torch_{name}");
}
