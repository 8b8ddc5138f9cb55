namespace Millrace.Flows.Tests.Manifests;

public sealed class ShippedPackagesTests
{
    static string Guests
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) folder = folder.Parent!;
            return Path.Combine(folder.FullName, "guests");
        }
    }

    [Theory]
    [InlineData("hello", false)]
    [InlineData("github", true)]
    [InlineData("openai", true)]
    public void What_ships_can_be_deployed(string folder, bool isIntegration)
    {
        var package = Package.Load(Path.Combine(Guests, folder));

        Assert.Equal(folder, package.Name);
        Assert.Equal(isIntegration, package.IsIntegration);
    }
}
