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
        if (model.Builders.Length != 1)
            throw new NnException(NnErrno.InvalidArgument, $"a PyTorch model has one builder, its file, not {model.Builders.Length}");
        Torch.Open(_library, threads);
        return new PyTorchGraph(TorchModel.Load(model.Builders[0]));
    }
}
