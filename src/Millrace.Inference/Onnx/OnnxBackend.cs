using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>ONNX models, run by ONNX Runtime. Nothing but the model's bytes is ever read.</summary>
sealed class OnnxBackend(int threads = 1) : INnBackend
{
    public NnEncoding Encoding => NnEncoding.Onnx;

    public string? WhyAbsent => NativeLibraries.OnnxRuntime() is null ? NativeLibraries.WhyOnnxRuntimeIsAbsent : null;

    public string Engine
    {
        get
        {
            Native.Ort.Load();
            return $"ONNX Runtime {Native.Ort.Version}";
        }
    }

    public INnGraph Load(NnModel model)
    {
        var bytes = model.Only("an ONNX model");
        var summary = OnnxReader.Read(bytes);
        if (summary.ExternalTensors is [var tensor, ..])
        {
            throw new NnException(
                NnErrno.UnsupportedOperation,
                $"the ONNX model keeps its tensor {tensor} in another file, which is never opened: save the model in one file");
        }

        foreach (var port in summary.Inputs) RefuseKind("input", port.Name, port.Kind, port.Type);
        foreach (var port in summary.Outputs) RefuseKind("output", port.Name, port.Kind, port.Type);
        return OnnxGraph.Load(bytes, summary, threads);
    }

    static void RefuseKind(string what, string name, string? kind, OnnxType type)
    {
        // No type at all: the engine infers it.
        if (kind is "of no type" || kind is null && type.ToTensorType() is not null) return;
        throw new NnException(
            NnErrno.UnsupportedOperation, $"the ONNX model's {what} {name} is {kind ?? $"of type {type}"}, which no guest can hand over");
    }
}
