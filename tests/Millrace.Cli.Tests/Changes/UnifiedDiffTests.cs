using System.Text;
using Millrace.Cli.Changes;

namespace Millrace.Cli.Tests.Changes;

public class UnifiedDiffTests
{
    static ChangedFile One(string diff) => Assert.Single(UnifiedDiff.Files(Encoding.UTF8.GetBytes(diff)));

    [Fact]
    public void Counts_lines_and_keeps_the_hunks()
    {
        var file = One("diff --git a/x.c b/x.c\nindex 1..2 100644\n--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@ int f()\n a\n-b\n+c\n+d\n");

        Assert.Equal(("x.c", "modified", 2, 1), (file.Path, file.Status, file.Additions, file.Deletions));
        Assert.Equal("@@ -1,2 +1,3 @@ int f()\n a\n-b\n+c\n+d", file.Hunks);
    }

    [Fact]
    public void A_pure_rename_has_no_hunks()
    {
        var file = One("diff --git a/a b.txt b/c d.txt\nsimilarity index 100%\nrename from a b.txt\nrename to c d.txt\n");

        Assert.Equal(("c d.txt", "a b.txt", "renamed"), (file.Path, file.PreviousPath, file.Status));
        Assert.Null(file.Hunks);
    }

    [Fact]
    public void A_binary_file_has_no_hunks()
    {
        var file = One("diff --git a/p.png b/p.png\nnew file mode 100644\nindex 0..1\nBinary files /dev/null and b/p.png differ\n");

        Assert.Equal(("p.png", "added"), (file.Path, file.Status));
        Assert.Null(file.Hunks);
    }

    [Fact]
    public void A_quoted_path_is_read_as_utf8()
    {
        var file = One("diff --git \"a/\\303\\266.txt\" \"b/\\303\\266.txt\"\ndeleted file mode 100644\n--- \"a/\\303\\266.txt\"\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");

        Assert.Equal(("ö.txt", "removed", 1), (file.Path, file.Status, file.Deletions));
    }

    [Fact]
    public void A_mail_signature_is_no_line_of_the_file()
    {
        var file = One("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n");

        Assert.Equal((1, 1), (file.Additions, file.Deletions));
    }

    [Fact]
    public void Text_without_a_diff_line_is_refused_with_what_to_do()
    {
        var error = Assert.Throws<FormatException>(() => UnifiedDiff.Files("--- x\n+++ y\n"u8));

        Assert.Contains("git diff", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_diff_has_no_files() => Assert.Empty(UnifiedDiff.Files("\n"u8));

    [Fact]
    public void A_format_patch_mail_gives_title_body_and_author()
    {
        var mail = "From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\nFrom: Ada <ada@example.com>\n"
            + "Date: Tue, 1 Sep 2026 10:00:00 +0200\nSubject: [PATCH] Add a thing\n\nBecause.\n---\n x | 1 +\n\n"
            + "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n-- \n2.39.5\n";

        var change = PatchFile.Read(Encoding.UTF8.GetBytes(mail), "0001.patch", DateTimeOffset.UnixEpoch);

        Assert.Equal(("Add a thing", "Because.", "Ada"), (change.Title, change.Body, change.Author));
        Assert.Equal("1234567890123456789012345678901234567890", Assert.Single(change.Commits).Sha);
    }
}
