using Millrace.Inference.Native;
using Millrace.Nn;

namespace Millrace.Inference.PyTorch;

/// <summary>TorchScript archives, run by the system's libtorch.</summary>
sealed class PyTorchBackend(TorchLibrary? library = null, int threads = 1) : INnBackend
{
    readonly TorchLibrary _library = library ?? new();

    public NnEncoding Encoding => NnEncoding.PyTorch;

    public string? WhyAbsent => _library.WhyAbsent;

    public string Engine => $"libtorch {_library.Version}";

    public INnGraph Load(NnModel model)
    {
        var file = model.Only("a PyTorch model");
        Torch.Open(_library, threads);
        return new PyTorchGraph(TorchModel.Load(file));
    }
}
