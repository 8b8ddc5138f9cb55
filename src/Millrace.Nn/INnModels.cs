namespace Millrace.Nn;

/// <summary>Where a guest's models come from: the engines of this machine, or in a flow the door.</summary>
public interface INnModels
{
    /// <summary>Loads a model that the guest brought: its builders, in the encoding's order.</summary>
    /// <exception cref="NnException">No engine for it, or the model is damaged or not computed.</exception>
    INnGraph Load(NnEncoding encoding, NnModel model);

    /// <summary>Loads a model that the guest was granted, by its name.</summary>
    /// <param name="name">What the guest calls it.</param>
    /// <param name="options">JSON; null for none.</param>
    /// <param name="cancel">Breaks the load off.</param>
    /// <exception cref="NnException">No model has this name, or it cannot be loaded.</exception>
    INnGraph LoadByName(string name, string? options, CancellationToken cancel);
}
