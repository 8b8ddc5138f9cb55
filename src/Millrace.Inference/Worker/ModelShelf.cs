using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>
/// The models in memory, one for each file and its options. Those that differ in how they compute alone share their
/// weights. One caller at a time.
/// </summary>
/// <param name="settings">How much they may take together, and for how long.</param>
/// <param name="build">What loads them.</param>
/// <param name="report">Told what computes when that changes.</param>
sealed class ModelShelf(WorkerSettings settings, LoadedBuild build, Action<string> report)
{
    readonly Dictionary<(string Path, ModelOptions Options), LoadedModel> _models = [];
    readonly Dictionary<(string Path, WeightOptions Options), LlamaModel> _weights = [];

    public IEnumerable<LoadedModel> Busy => _models.Values.Where(static model => model.IsBusy);

    /// <summary>How long nothing is to be unloaded, if nobody asks.</summary>
    public int IdleMs()
    {
        if (settings.KeepAliveMs <= 0 || _models.Count == 0) return Timeout.Infinite;
        var oldest = _models.Values.Min(static model => model.UsedAt);
        return (int)Math.Clamp(oldest + settings.KeepAliveMs - Environment.TickCount64, 1, int.MaxValue);
    }

    public void UnloadExpired()
    {
        if (settings.KeepAliveMs <= 0) return;
        foreach (var (key, model) in _models)
        {
            // A dictionary may be walked while entries are taken out.
            if (!model.IsBusy && Environment.TickCount64 - model.UsedAt >= settings.KeepAliveMs) Unload(key);
        }
    }

    /// <summary>The model, loaded if need be; null while others must stay.</summary>
    /// <exception cref="InferenceException">It cannot be loaded.</exception>
    public LoadedModel? Find(string path, ModelOptions asked)
    {
        var options = asked with { Weights = build.Effective(path, asked.Weights) };
        if (_models.TryGetValue((path, options), out var loaded)) return loaded;
        if (!File.Exists(path)) throw new InferenceException("model-unavailable", $"there is no file {Path.GetFileName(path)}");
        var bytes = _weights.ContainsKey((path, options.Weights)) ? 0 : ModelFolder.FileAt(path).Length;
        if (bytes > settings.MemoryBytesMax)
        {
            throw new InferenceException(
                "model-unavailable",
                $"{Path.GetFileName(path)} has {bytes} bytes; models may take {settings.MemoryBytesMax} together");
        }

        while (Bytes + bytes > settings.MemoryBytesMax)
        {
            var idle = _models.Where(static entry => !entry.Value.IsBusy).OrderBy(static entry => entry.Value.UsedAt)
                .Select(static entry => entry.Key).ToList();
            if (idle.Count == 0) return null;
            Unload(idle[0]);
            // Its weights may have been those that the new one would share.
            if (!_weights.ContainsKey((path, options.Weights))) bytes = ModelFolder.FileAt(path).Length;
        }

        return _models[(path, options)] = new(Weights(path, options.Weights), options.Context, settings);
    }

    long Bytes => _weights.Values.Sum(static model => model.WeightBytes) + _models.Values.Sum(static model => model.ContextBytes);

    LlamaModel Weights(string path, WeightOptions options)
    {
        if (_weights.TryGetValue((path, options), out var there)) return there;
        var (model, isOnCpu) = build.Open(path, options);
        // Said before the answer, so that who asks after it knows.
        if (isOnCpu) report(build.Report);
        return _weights[(path, options)] = model;
    }

    void Unload((string Path, ModelOptions Options) key)
    {
        _models.Remove(key, out var model);
        model!.Dispose();
        if (_models.Keys.Any(other => other.Path == key.Path && other.Options.Weights == key.Options.Weights)) return;
        _weights.Remove((key.Path, key.Options.Weights), out var weights);
        weights!.Dispose();
    }
}
