namespace Millrace.Wasm.Tests.Suite;

public sealed class WastScriptTests : IDisposable
{
    readonly Engine _engine = new();
    readonly string _folder = Directory.CreateTempSubdirectory("millrace-wast-").FullName;

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    WastReport Run(string script)
    {
        var path = Path.Combine(_folder, "script.wast");
        File.WriteAllText(path, script);
        return WastScript.Run(_engine, path);
    }

    const string Adder =
        """
        (module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
          (func (export "nan") (result f32) (f32.const -nan))
          (func (export "stop") unreachable)
          (func $deep (export "deep") (call $deep))
          (global (export "g") i64 (i64.const 7)))

        """;

    [Fact]
    public void Good_assertions_pass()
    {
        var report = Run(Adder +
            """
            (assert_return (invoke "add" (i32.const 1) (i32.const -1)) (i32.const 0))
            (assert_return (invoke "nan") (f32.const nan:canonical))
            (assert_return (invoke "nan") (either (f32.const 0) (f32.const nan:arithmetic)))
            (assert_return (get "g") (i64.const 7))
            (assert_trap (invoke "stop") "unreachable")
            (assert_exhaustion (invoke "deep") "call stack exhausted")
            (assert_malformed (module quote "(func") "unexpected token")
            (assert_malformed (module binary "\00asm") "unexpected end")
            (assert_invalid (module (func (result i32))) "type mismatch")
            (assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")
            (assert_trap (module (func $f unreachable) (start $f)) "unreachable")
            """);

        Assert.True(report.IsGood, string.Join('\n', report.Findings));
        Assert.Equal((11, 11, 0), (report.Executed, report.Passed, report.Exclusions.Length));
    }

    [Theory]
    [InlineData("""(assert_return (invoke "add" (i32.const 1) (i32.const 1)) (i32.const 3))""", "i32:0x2")]
    [InlineData("""(assert_return (invoke "add" (i32.const 1) (i32.const 1)) (i64.const 2))""", "i64.const")]
    [InlineData("""(assert_return (invoke "stop"))""", "trapped: unreachable")]
    [InlineData("""(assert_return (invoke "nan") (f32.const nan))""", "f32:0xffc00000")]
    [InlineData("""(assert_return (get "nothing") (i32.const 0))""", "no global")]
    [InlineData("""(assert_trap (invoke "add" (i32.const 1) (i32.const 1)) "unreachable")""", "returned")]
    [InlineData("""(assert_trap (invoke "stop") "integer overflow")""", "integer overflow")]
    [InlineData("""(assert_malformed (module quote "(func)") "unexpected token")""", "accepted")]
    [InlineData("""(assert_malformed (module quote "(func") "unknown operator")""", "unexpected token")]
    [InlineData("""(assert_malformed (module quote "(func (result i32))") "type mismatch")""", "accepted")]
    [InlineData("""(assert_invalid (module quote "(func") "unexpected token")""", "MalformedException")]
    [InlineData("""(assert_unlinkable (module (func unreachable)) "unknown import")""", "instantiated")]
    public void False_assertions_fail_and_say_what_came(string assertion, string words)
    {
        var report = Run(Adder + assertion);

        var failure = Assert.Single(report.Failures);
        Assert.Equal(6, failure.Line);
        Assert.Contains(words, failure.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Assertions_after_a_refused_module_fail()
    {
        var report = Run("""(module (func (result i32))) (assert_return (invoke "f"))""");

        Assert.Single(report.Faults);
        Assert.Single(report.Failures);
    }

    const string Shared = """(module $s (memory 1 1 shared) (func (export "f"))) (register "s")""";

    [Theory]
    [InlineData(Shared + """(assert_return (invoke "f"))""")]
    [InlineData(Shared + """(module (import "s" "f" (func $f)) (export "f" (func $f))) (assert_return (invoke "f"))""")]
    [InlineData("""(assert_unlinkable (module (import "a" "b" (func)) (memory 1 1 shared)) "unknown import")""")]
    public void Assertions_about_a_feature_that_is_not_there_are_debt(string script)
    {
        var report = Run(script);

        Assert.True(report.IsGood, string.Join('\n', report.Findings));
        Assert.Equal((0, "switched off: threads"), (report.Executed, Assert.Single(report.Exclusions).Reason));
    }

    [Theory]
    [InlineData("""(assert_invalid (module (memory 1 1 shared) (func (result i32))) "type mismatch")""")]
    [InlineData("""(assert_malformed (module quote "(memory 1 1 shared) x") "unknown operator")""")]
    public void What_decoder_and_validator_can_judge_is_no_debt(string assertion) =>
        Assert.Equal((1, 1), (Run(assertion).Executed, Run(assertion).Passed));

    const string Writer =
        """
        (module $m (memory (export "m") 1 1) (func (export "f") (result i32) (i32.load (i32.const 0))))
        (register "m")

        """;

    [Fact]
    public void An_assertion_that_fails_for_want_of_a_module_sharing_its_memory_is_debt_of_that_module()
    {
        const string Missing = """(module (memory (import "m" "m") 1 1) (memory 1 1 shared) (data (memory 0) (i32.const 0) "a"))""";

        var report = Run(Writer + Missing +
            """(assert_return (invoke $m "f") (i32.const 97)) (assert_return (invoke $m "f") (i32.const 0))""");

        Assert.Equal((1, 1), (report.Executed, report.Passed));
        Assert.Single(report.Exclusions);
    }

    [Fact]
    public void An_assertion_that_fails_on_its_own_is_no_debt()
    {
        var report = Run(Writer + Shared + """(assert_return (invoke $m "f") (i32.const 97))""");

        Assert.Single(report.Failures);
        Assert.Empty(report.Exclusions);
    }

    [Fact]
    public void A_script_that_is_none_is_a_fault_and_the_rest_is_run()
    {
        var report = Run("(nonsense)\n(assert_malformed (module quote \"x\") \"unknown operator\")");

        Assert.Equal(1, Assert.Single(report.Faults).Line);
        Assert.Equal(1, report.Passed);
    }

    [Fact]
    public void A_script_without_end_is_stopped()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var path = Path.Combine(_folder, "loop.wast");
        File.WriteAllText(path, """(module (func (export "f") (loop (br 0)))) (invoke "f")""");

        var report = WastScript.Run(_engine, path, timeout.Token);

        Assert.Contains(report.Faults, static fault => fault.Text.Contains("did not end", StringComparison.Ordinal));
    }

    [Fact]
    public void Folders_leave_out_proposals_and_legacy_unless_named()
    {
        foreach (var name in new[] { "a.wast", "proposals/b.wast", "legacy/c.wast", "custom/d.wast", "e.txt" })
        {
            var path = Path.Combine(_folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }

        string[] Found(string path) =>
            [.. WastScript.FilesIn(path).Select(file => Path.GetRelativePath(_folder, file))];

        Assert.Equal(["a.wast", "custom/d.wast"], Found(_folder));
        Assert.Equal(["proposals/b.wast"], Found(Path.Combine(_folder, "proposals")));
        Assert.Equal(["legacy/c.wast"], Found(Path.Combine(_folder, "legacy", "c.wast")));
        Assert.Throws<FileNotFoundException>(() => WastScript.FilesIn(Path.Combine(_folder, "none")));
    }

    [Fact]
    public void Totals_are_shown_as_lines_json_and_markdown()
    {
        var totals = new WastTotals();
        totals.Add(new("a.wast", 3, [new(1, "x")], [new(2, "debt: SIMD"), new(3, "debt: SIMD")], []));
        totals.Add(new("b.wast", 5, [], [], []));

        Assert.Equal("2 scripts: 9 executed, 8 passed, 1 failed, 2 excluded", totals.Line());
        Assert.Equal("""{"executed": 9, "passed": 8, "failed": 1, "excluded": 2}""", totals.ToJson());
        Assert.Contains("| excluded, debt: SIMD | 2 |", totals.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| a.wast | 4 | 3 | 1 | 2 | debt: SIMD 2 |", totals.ToMarkdown(), StringComparison.Ordinal);
    }
}
