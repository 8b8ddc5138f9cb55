using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>The build of llama.cpp in this process, and what it found to compute on.</summary>
sealed class LoadedBuild
{
    // More than any model has.
    const int AllLayers = 9999;

    readonly int _gpuLayers;

    LoadedBuild(int gpuLayers, string report) => (_gpuLayers, Report) = (gpuLayers, report);

    /// <summary>What computes, in one line.</summary>
    public string Report { get; private set; }

    /// <exception cref="InferenceException">It is not there, is of another version, or finds no GPU where it was made for one.</exception>
    public static LoadedBuild Load(LlamaBuild build)
    {
        var folder = build.Folder ?? throw new InferenceException("model-unavailable", NativeLibraries.WhyAbsent);
        var version = LlamaModel.LoadLibrary(folder);
        if (!build.IsGpu) return new(0, $"{build.Name} (llama.cpp {version})");
        var gpus = string.Join(", ", Native.Llama.Gpus());
        if (gpus.Length > 0) return new(AllLayers, $"{build.Name} (llama.cpp {version}) on {gpus}");
        return !build.NeedsGpu ? new(0, $"{build.Name} (llama.cpp {version}) on the CPU")
            : throw new InferenceException("model-unavailable", "it finds no GPU that it can use");
    }

    /// <summary>What of the options makes a difference here: without a GPU nothing that is about GPUs does.</summary>
    public WeightOptions Effective(string path, WeightOptions options)
    {
        if (_gpuLayers == 0) return new() { IsMapped = options.IsMapped, IsLocked = options.IsLocked, IsChecked = options.IsChecked };
        return options.GpuLayers is { } layers && (ulong)layers > Layers(path) ? options with { GpuLayers = null } : options;
    }

    // Many programs ask for more layers than there are, and mean all of them.
    static ulong Layers(string path)
    {
        try
        {
            var header = GgufHeader.Read(path);
            return header.Values.GetValueOrDefault($"{header.Architecture}.block_count") as ulong? ?? AllLayers;
        }
        catch (InferenceException)
        {
            // Whoever loads it hears what is wrong with it.
            return AllLayers;
        }
    }

    /// <summary>A model, on the GPU when there is one and it fits; else on the CPU, which the report then says.</summary>
    /// <exception cref="InferenceException">llama.cpp cannot load it at all.</exception>
    public (LlamaModel Model, bool IsOnCpu) Open(string path, WeightOptions options)
    {
        var layers = options.GpuLayers ?? _gpuLayers;
        if (layers == 0) return (LlamaModel.Load(path, 0, options), false);
        try
        {
            return (LlamaModel.Load(path, layers, options), false);
        }
        catch (InferenceException)
        {
            var model = LlamaModel.Load(path, 0, options);
            Report += $", {Path.GetFileName(path)} on the CPU since it did not load there";
            return (model, true);
        }
    }
}
