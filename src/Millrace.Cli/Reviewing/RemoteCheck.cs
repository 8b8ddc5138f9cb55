using Millrace.Server;

namespace Millrace.Cli.Reviewing;

/// <summary>The check of a model elsewhere: asked through the session's own integration, remembered by host and name.</summary>
static class RemoteCheck
{
    public static async Task RunAsync(ReviewSession session, RemoteModel? remote, Screen screen, CancellationToken cancel)
    {
        if (remote is null) return;
        var platform = session.Server.Platform;
        var key = (await platform.ModelsAsync(cancel)).Single(model => model.Name == remote.Name).VerdictKey!;
        var store = session.Verdicts;
        var report = store.Find(key)?.Report;
        if (report is null)
        {
            report = await screen.ProgressAsync($"checking whether {remote.Name} reads diffs", progress => ModelCheck.RunAsync(
                remote.Name, platform.AskModelAsync, new Relay(progress), cancel));
            // A server that was down says nothing about its model.
            if (report.Asked > 0) store.Remember(key, new(report, 0));
        }

        screen.Note(report.Passed
            ? $"model: {remote.Name} at {remote.Host}"
            : $"model: {remote.Name} did not pass the check ({report.Reason}): its prose is not posted");
    }

    sealed class Relay(IProgress<string> progress) : IProgress<ModelCheckReport>
    {
        public void Report(ModelCheckReport value) =>
            progress.Report($"{value.Right} of {value.Asked} of {ModelCheck.Tasks} questions answered rightly");
    }
}
