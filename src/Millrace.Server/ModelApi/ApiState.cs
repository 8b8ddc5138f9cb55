using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>What all requests to the model API share.</summary>
/// <param name="Models">The models of this machine; null: this server has none.</param>
/// <param name="Keys">Who may ask.</param>
/// <param name="Budgets">How much they may ask.</param>
/// <param name="IsOpen">Whether whoever reaches the listener may ask, without a key.</param>
/// <param name="Time">Clock.</param>
sealed record ApiState(LocalModels? Models, ApiKeys Keys, ApiBudgets Budgets, bool IsOpen, TimeProvider Time)
{
    public ApiMetrics Metrics { get; } = new();

    /// <exception cref="ApiException">No model can be run here.</exception>
    public LocalModels Usable()
    {
        if (Models is null) throw ApiCall.NoModel(null);
        return NativeLibraries.LlamaFolder() is not null ? Models
            : throw ApiException.NoEngine(NativeLibraries.WhyAbsent);
    }
}
