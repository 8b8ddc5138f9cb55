using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Millrace.Fuzz;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Verification;

namespace Millrace.Wasm.Tests.Verification;

/// <summary>Each rule of the verifier refuses a faulty image that passes without it. None of them is ever run.</summary>
public sealed class ProofRuleTests
{
    const string Load = "(module (memory 1) (func (param i32) (result i32) (i32.load offset=8 (local.get 0))))";
    const string Struct = "(type $a (sub (struct (field i32)))) (type $b (sub (struct (field i32 i32))))";

    static readonly (ProofRule Rule, string Reason, string Wat, EngineOptions Options)[] Rows =
    [
        (ProofRule.Accesses, "without check", Load, new() { Fault = CompilerFault.ChecksOneByteLess }),
        (ProofRule.Alignment, "may be unaligned",
            "(module (memory 1 1 shared) (func (param i32) (result i32) (i32.atomic.load (local.get 0))))",
            Rewritten("5F 3A ?? ?? ?? ??", "5F 26 00 00 00 00")), // and, brtrue
        (ProofRule.Interrupts, "no interrupt stops", "(module (func (loop (br 0))))", new() { Without = SafetyCheck.LoopInterrupts }),
        (ProofRule.StackLook, "does not look at the stack", "(module (func $f (call $f)))", new() { Without = SafetyCheck.StackLimit }),
        (ProofRule.Fuel, "does not only fall", "(module (func nop))", Rewritten("59 25", "58 25") with { IsMetered = true }), // sub, dup
        (ProofRule.Depth, "operands on the stack", Load, new() { IsPortable = false, Rewrite = Shallower }),
        (ProofRule.FrameSize, "no room for", $"(module (func (local {string.Concat(Enumerable.Repeat("i64 ", 30_001))})))",
            new() { Without = SafetyCheck.Locals }),
        (ProofRule.Assignment, "before it is assigned",
            "(module (func (param i32) (result i32) (local i32) (if (local.get 0) (then (local.set 1 (i32.const 7)))) (local.get 1)))",
            Rewritten("16 0A", "00 00")), // ldc.i4.0, stloc.0
        (ProofRule.CallTypes, "whose type is not known",
            "(module (table 1 funcref) (func (result i32) (call_indirect (result i32) (i32.const 0))))",
            new() { Fault = CompilerFault.CallsAnyType }),
        (ProofRule.Fields, "not known to have it",
            $"(module {Struct} (func (param (ref $a)) (result i32) (struct.get $b 0 (ref.cast (ref $b) (block (result anyref) (local.get 0))))))",
            new() { Without = SafetyCheck.Casts }),
        (ProofRule.References, "a reference of another type",
            $"(module {Struct} (func $f (param (ref $b))) (func (param anyref) (call $f (ref.cast (ref $b) (local.get 0)))))",
            new() { Without = SafetyCheck.Casts }),
        (ProofRule.Globals, "as another type",
            "(module (global (mut i64) (i64.const 1)) (global (mut i32) (i32.const 2)) (func (global.set 1 (i32.const 3))))",
            Rewritten("1F 10 D3 58", "00 00 00 00")), // ldc.i4.s, conv.i, add
        (ProofRule.Constants, "what cannot be set",
            "(module (global i32 (i32.const 1)) (global (mut i32) (i32.const 2)) (func (global.set 1 (i32.const 3))))",
            Rewritten("1F 10 D3 58", "00 00 00 00")),
        (ProofRule.EmptyStack, "operands on the stack at a jump",
            "(module (func (param i32 i32) (local.set 0 (i32.const 1)) (if (local.get 1) (then (unreachable)))))",
            Rewritten("17 10 00", "17 00 00")), // ldc.i4.1, starg.s 0
        (ProofRule.Regions, "protected block",
            "(module (func (param i32) (block (try_table (catch_all 0) (br_if 1 (local.get 0))))))", new() { Without = SafetyCheck.LeavingTry }),
        (ProofRule.Results, "is not written", "(module (func (result i32 i32) (i32.const 5) (i32.const 6)))",
            Rewritten("03 1C 54", "00 00 00")), // ldarg.1, ldc.i4.6, stind.i4
    ];

    public static TheoryData<string> Rules => [.. Enum.GetNames<ProofRule>().Where(name => name != nameof(ProofRule.None))];

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_rule_refuses_an_image_that_passes_without_it(string name)
    {
        var (rule, reason, wat, options) = Assert.Single(Rows, row => row.Rule.ToString() == name);
        var module = WatText.ToBinary(wat);
        options = options with { Features = WasmFeatures.All };

        var refused = Assert.Throws<RefusedCodeException>(() => Module.Compile(new(options), module));
        Module.Compile(new(options with { Unproven = rule }), module);

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.All(Enum.GetValues<ProofRule>().Where(other => other != rule), other =>
            Assert.Throws<RefusedCodeException>(() => Module.Compile(new(options with { Unproven = other }), module)));
    }

    /// <summary>One operand less than a method says is too few, whatever the method.</summary>
    [Fact]
    public void The_depth_of_the_stack_is_exact()
    {
        var count = 0;
        var module = WatText.ToBinary(ModuleGenerator.Make(1, isProfiled: false).Wat);
        for (var method = 0; ; method++)
        {
            bool? isThere = null;
            var options = new EngineOptions { Features = WasmFeatures.All, Rewrite = image => Made(image, method, ref isThere) };
            var refused = Record.Exception(() => Module.Compile(new(options), module));
            if (isThere is null) break;
            if (isThere == false) continue;
            Assert.Contains("operands on the stack", refused?.Message, StringComparison.Ordinal);
            count++;
        }
        Assert.InRange(count, 5, 50);
    }

    static EngineOptions Rewritten(string code, string instead) =>
        new() { IsPortable = false, Rewrite = image => ImageVerifierTests.Replaced(image, code, instead) };

    static byte[] Shallower(byte[] image)
    {
        bool? isThere = null;
        return Made(image, 0, ref isThere);
    }

    // A method with a header of the long form says how deep its stack is. Null: there is no such method.
    static byte[] Made(byte[] image, int method, ref bool? isShallower)
    {
        using var reader = new PEReader([.. image]);
        var handles = reader.GetMetadataReader().MethodDefinitions;
        if (method >= handles.Count) return image;
        var address = reader.GetMetadataReader().GetMethodDefinition(handles.ElementAt(method)).RelativeVirtualAddress;
        var section = reader.PEHeaders.SectionHeaders[reader.PEHeaders.GetContainingSectionIndex(address)];
        var at = address - section.VirtualAddress + section.PointerToRawData;
        const int LongForm = 3;
        isShallower = (image[at] & LongForm) == LongForm;
        if (isShallower == true) image[at + 2]--;
        return image;
    }
}
