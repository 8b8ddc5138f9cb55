using Millrace.Inference;

namespace Millrace.Cli.Pulling;

/// <summary>What is to be pulled.</summary>
/// <param name="Source">As <c>hf:org/repo</c>, or an address.</param>
/// <param name="Sha256">Its hash as the user knows it; null: the hub's word counts.</param>
sealed record PullWish(string Source, string? Sha256 = null);

/// <summary>Pulls models into the user's folder, with what a person sees of it.</summary>
static class ModelPulls
{
    // A terminal shows no more, and drawing takes time from fetching.
    static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);

    /// <exception cref="CommandException">It cannot be had.</exception>
    public static async Task<PulledModel> PullAsync(Screen screen, CliEnvironment environment, PullWish wish, CancellationToken cancel)
    {
        using var hub = Open(environment);
        try
        {
            var file = await screen.ProgressAsync($"looking for {wish.Source}", _ => hub.FindAsync(wish.Source, wish.Sha256, cancel));
            var size = file.Bytes is { } bytes ? Words.Size(bytes) : "of unknown size";
            var pulled = await screen.ProgressAsync($"pulling {file.FileName}, {size}", progress => hub.PullAsync(
                file, MachineModels.Folder(environment), new Meter(progress), cancel));
            if (!pulled.IsVerified)
                screen.Note($"nobody named its SHA-256, so it was checked by its length alone; it is {pulled.Sha256}");
            return pulled;
        }
        catch (ModelHubException e)
        {
            throw new CommandException(e.Message, MillraceCommand.Failed);
        }
    }

    static ModelHub Open(CliEnvironment environment)
    {
        var options = new ModelHubOptions { Token = environment.HubToken };
        if (environment.Hub is not { } address) return new(options);
        return Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? new(options with { Address = url })
            : throw new CommandException($"MILLRACE_HUB is no http address: {address}");
    }

    sealed class Meter(IProgress<string> line) : IProgress<PullProgress>
    {
        readonly PullMeter _meter = new(TimeProvider.System);
        long _drawn;

        public void Report(PullProgress value)
        {
            var isDue = _drawn == 0 || TimeProvider.System.GetElapsedTime(_drawn) >= Redraw;
            if (!isDue && value.Waits is null && value.Bytes != value.Total) return;
            _drawn = TimeProvider.System.GetTimestamp();
            line.Report(_meter.Line(value));
        }
    }
}
