using System.Globalization;
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
    readonly Dictionary<Key, LoadedModel> _models = [];
    readonly Dictionary<(string Path, WeightOptions Options), LlamaModel> _weights = [];

    // Adapters as text: an array is equal to no other one.
    readonly record struct Key(string Path, string Adapters, ModelOptions Options)
    {
        public (string Path, WeightOptions Options) Weights => (Path, Options.Weights);
    }

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
    public LoadedModel? Find(string file, ModelOptions asked)
    {
        var adapted = AdaptedModel.IsOne(file) ? AdaptedModel.Read(file) : new(file, []);
        var path = adapted.Model;
        var options = asked with { Weights = build.Effective(path, asked.Weights) };
        var key = new Key(path, string.Join('\n', adapted.Adapters.Select(Describe)), options);
        if (_models.TryGetValue(key, out var loaded)) return loaded;
        if (!File.Exists(path)) throw new InferenceException("model-unavailable", $"there is no file {Path.GetFileName(path)}");
        if (!MakeRoom(key)) return null;
        var weights = Weights(key.Weights);
        try
        {
            return _models[key] = new(weights, options.Context, [.. adapted.Adapters.Select(weights.Adapter)], settings);
        }
        catch
        {
            Release(key.Weights);
            throw;
        }
    }

    static string Describe(ModelAdapter adapter) =>
        string.Create(CultureInfo.InvariantCulture, $"{adapter.Path} {File.GetLastWriteTimeUtc(adapter.Path).Ticks} {adapter.Scale:R}");

    bool MakeRoom(Key key)
    {
        while (true)
        {
            // What is unloaded may have had the weights that the new one would share.
            var bytes = _weights.ContainsKey(key.Weights) ? 0 : ModelFolder.FileAt(key.Path).Length;
            if (bytes > settings.MemoryBytesMax)
            {
                throw new InferenceException(
                    "model-unavailable",
                    $"{Path.GetFileName(key.Path)} has {bytes} bytes; models may take {settings.MemoryBytesMax} together");
            }

            if (Bytes + bytes <= settings.MemoryBytesMax) return true;
            var idle = _models.Where(static entry => !entry.Value.IsBusy).ToList();
            if (idle.Count == 0) return false;
            Unload(idle.MinBy(static entry => entry.Value.UsedAt).Key);
        }
    }

    long Bytes => _weights.Values.Sum(static model => model.WeightBytes) + _models.Values.Sum(static model => model.ContextBytes);

    LlamaModel Weights((string Path, WeightOptions Options) key)
    {
        if (_weights.TryGetValue(key, out var there)) return there;
        var (model, isOnCpu) = build.Open(key.Path, key.Options);
        // Said before the answer, so that who asks after it knows.
        if (isOnCpu) report(build.Report);
        return _weights[key] = model;
    }

    void Unload(Key key)
    {
        _models.Remove(key, out var model);
        model!.Dispose();
        Release(key.Weights);
    }

    // Weights stay while anybody computes on them.
    void Release((string Path, WeightOptions Options) key)
    {
        if (_models.Keys.Any(other => other.Weights == key)) return;
        _weights.Remove(key, out var weights);
        weights!.Dispose();
    }
}
