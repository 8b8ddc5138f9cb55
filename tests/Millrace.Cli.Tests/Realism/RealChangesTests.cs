using Millrace.Cli.Changes;
using Millrace.Cli.Tests.Reviews;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Realism;

/// <summary>Changes that others made, from the registry, served as pull requests: each goes the whole way.</summary>
[Collection(ReviewTests.Name)]
public sealed class RealChangesTests(ReviewBench bench)
{
    [SkippableTheory]
    [InlineData("ms", "2.1.2", "2.1.3")]
    [InlineData("debug", "4.3.1", "4.3.4")]
    [InlineData("commander", "8.3.0", "9.0.0")]
    [InlineData("ws", "7.5.9", "8.0.0")]
    [InlineData("uuid", "8.3.2", "9.0.0")]
    [InlineData("chalk", "4.1.2", "5.0.0")]
    [InlineData("source-map", "0.6.1", "0.7.3")]
    [InlineData("moment", "2.29.4", "2.30.1")]
    public async Task A_real_change_becomes_one_comment(string package, string before, string after)
    {
        bench.Calm();
        bench.Model.Script = ReadingModel.Answer;
        var change = await ChangeAsync(package, before, after);
        var pull = bench.Pull(change);

        var reviewed = await bench.ReviewAsync(pull);

        Assert.Equal([RunOutcome.Completed], reviewed.Outcomes);
        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, change);
        Assert.Equal(ScriptedModelServer.Model, (string?)reviewed.Document["model"]);
        Assert.True((int)reviewed.Document["dropped"]! > 0, "the invented claim was not counted");
        Assert.DoesNotContain(ReadingModel.Invented, reviewed.Comment, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Among_them_are_large_ones_renames_binary_files_and_other_scripts()
    {
        var (large, binary) = (await ChangeAsync("moment", "2.29.4", "2.30.1"), await ChangeAsync("source-map", "0.6.1", "0.7.3"));
        var renamed = await ChangeAsync("chalk", "4.1.2", "5.0.0");

        Assert.True(large.Additions + large.Deletions > 5_000);
        Assert.Contains(large.Files, file => file.Hunks?.Any(c => c > '\u0400') == true);
        Assert.Contains(binary.Files, file => file is { Hunks: null, Path: "lib/mappings.wasm" });
        Assert.Contains(renamed.Files, file => file is { Status: "renamed", PreviousPath: "source/util.js" });
    }

    static async Task<Change> ChangeAsync(string package, string before, string after)
    {
        var (origin, head) = (await FetchAsync(package, before), await FetchAsync(package, after));
        using var scratch = new ScratchRepository();
        var repository = await PackageHistory.MakeAsync(scratch, origin, head);
        return await repository.RangeAsync("base..head", default);
    }

    static Task<string> FetchAsync(string package, string version) =>
        NpmPackage.FetchAsync(package, version, Hashes[$"{package}@{version}"]);

    static readonly Dictionary<string, string> Hashes = new()
    {
        ["chalk@4.1.2"] =
            "sha512-oKnbhFyRIXpUuez8iBMmyEa4nbj4IOQyuhc/wy9kY7/WVPcwIO9VA668Pu8RkO7+0G76SLROeyw9CpQ061i4mA==",
        ["chalk@5.0.0"] =
            "sha512-/duVOqst+luxCQRKEo4bNxinsOQtMP80ZYm7mMqzuh5PociNL0PvmHFvREJ9ueYL2TxlHjBcmLCdmocx9Vg+IQ==",
        ["commander@8.3.0"] =
            "sha512-OkTL9umf+He2DZkUq8f8J9of7yL6RJKI24dVITBmNfZBmri9zYZQrKkuXiKhyfPSu8tUhnVBB1iKXevvnlR4Ww==",
        ["commander@9.0.0"] =
            "sha512-JJfP2saEKbQqvW+FI93OYUB4ByV5cizMpFMiiJI8xDbBvQvSkIk0VvQdn1CZ8mqAO8Loq2h0gYTYtDFUZUeERw==",
        ["debug@4.3.1"] =
            "sha512-doEwdvm4PCeK4K3RQN2ZC2BYUBaxwLARCqZmMjtF8a51J2Rb0xpVloFRnCODwqjpwnAoao4pelN8l3RJdv3gRQ==",
        ["debug@4.3.4"] =
            "sha512-PRWFHuSU3eDtQJPvnNY7Jcket1j0t5OuOsFzPPzsekD52Zl8qUfFIPEiswXqIvHWGVHOgX+7G/vCNNhehwxfkQ==",
        ["moment@2.29.4"] =
            "sha512-5LC9SOxjSc2HF6vO2CyuTDNivEdoz2IvyJJGj6X8DJ0eFyfszE0QiEd+iXmBvUP3WHxSjFH/vIsA0EN00cgr8w==",
        ["moment@2.30.1"] =
            "sha512-uEmtNhbDOrWPFS+hdjFCBfy9f2YoyzRpwcl+DqpC6taX21FzsTLQVbMV/W7PzNSX6x/bhC1zA3c2UQ5NzH6how==",
        ["ms@2.1.2"] =
            "sha512-sGkPx+VjMtmA6MX27oA4FBFELFCZZ4S4XqeGOXCv68tT+jb3vk/RyaKWP0PTKyWtmLSM0b+adUTEvbs1PEaH2w==",
        ["ms@2.1.3"] =
            "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
        ["source-map@0.6.1"] =
            "sha512-UjgapumWlbMhkBgzT7Ykc5YXUT46F0iKu8SGXq0bcwP5dz/h0Plj6enJqjz1Zbq2l5WaqYnrVbwWOWMyF3F47g==",
        ["source-map@0.7.3"] =
            "sha512-CkCj6giN3S+n9qrYiBTX5gystlENnRW5jZeNLHpe6aue+SrHcG5VYwujhW9s4dY31mEGsxBDrHR6oI69fTXsaQ==",
        ["uuid@8.3.2"] =
            "sha512-+NYs2QeMWy+GWFOEm9xnn6HCDp0l7QBD7ml8zLUmJ+93Q5NF0NocErnwkTkXVFNiX3/fpC6afS8Dhb/gz7R7eg==",
        ["uuid@9.0.0"] =
            "sha512-MXcSTerfPa4uqyzStbRoTgt5XIe3x5+42+q1sDuy3R5MDk66URdLMOZe5aPX/SQd+kuYAh0FdP/pO28IkQyTeg==",
        ["ws@7.5.9"] =
            "sha512-F+P9Jil7UiSKSkppIiD94dN07AwvFixvLIj1Og1Rl9GGMuNipJnV9JzjD6XuqmAeiswGvUmNLjr5cFuXwNS77Q==",
        ["ws@8.0.0"] =
            "sha512-6AcSIXpBlS0QvCVKk+3cWnWElLsA6SzC0lkQ43ciEglgXJXiCWK3/CGFEJ+Ybgp006CMibamAsqOlxE9s4AvYA==",
    };
}
