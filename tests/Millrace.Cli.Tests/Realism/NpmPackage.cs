namespace Millrace.Cli.Tests.Realism;

/// <summary>As <see cref="NpmArchive"/>, for tests, which are skipped where there is none.</summary>
static class NpmPackage
{
    public static async Task<string> FetchAsync(string name, string version, string? integrity = null)
    {
        var (folder, reason) = await NpmArchive.FetchAsync(name, version, integrity);
        Skip.If(folder is null, reason);
        return folder!;
    }
}
