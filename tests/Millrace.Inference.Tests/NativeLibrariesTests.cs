namespace Millrace.Inference.Tests;

public sealed class NativeLibrariesTests
{
    [Theory]
    [InlineData("")]
    [InlineData("share")]
    [InlineData("./.local/share")]
    public void Code_is_not_looked_for_below_the_folder_one_stands_in(string userFolder) => Assert.Null(NativeLibraries.RootIn(userFolder));

    [Fact]
    public void It_lies_in_the_users_own_folder()
    {
        var user = Path.GetFullPath("user");

        Assert.Equal(Path.Combine(user, "millrace", "natives"), NativeLibraries.RootIn(user));
    }
}
