namespace Millrace.Server.Tests;

public sealed class SecretMaskTests
{
    [Theory]
    [InlineData("nothing here", "nothing here")]
    [InlineData("use ghp_0123456789abcdefghijABCDEFGHIJ456789 now", "use ghp_…(40) now")]
    [InlineData("AKIAABCDEFGHIJKLMNOP", "AKIA…(20)")]
    [InlineData("Authorization: Bearer abcdefghijklmnopqrstuv", "Authorization: Bearer abcd…(22)")]
    [InlineData("password = \"hunter2hunter2\"", "password = \"hunt…(14)\"")]
    [InlineData("{\"token\": \"abcdefgh\"}", "{\"token\": \"abcd…(8)\"}")]
    [InlineData("password: short", "password: short")]
    [InlineData("task-list sk-abcdefghijklmnop1234", "task-list sk-a…(23)")]
    public void Leaves_four_characters_and_the_length(string text, string expected) =>
        Assert.Equal(expected, SecretMask.Apply(text));
}
