namespace Millrace.Wasm.Tests.Runtime;

/// <summary>What may stand where a type names a function type: guest code calls it without a look.</summary>
public sealed class TypedReferenceTests
{
    const string Text = """
        (module
          (type $unary (func (param i32) (result i32)))
          (type $nullary (func (result i32)))
          (import "env" "give" (func $give (result (ref null $unary))))
          (table $t (export "table") 1 (ref null $unary))
          (global (export "global") (mut (ref null $unary)) (ref.null $unary))
          (func $double (export "double") (param i32) (result i32) (i32.mul (i32.const 2) (local.get 0)))
          (func $seven (export "seven") (result i32) (i32.const 7))
          (func (export "call") (param (ref $unary)) (result i32)
            (i32.add (i32.const 100) (call_ref $unary (i32.const 4) (local.get 0))))
          (func (export "callNullable") (param (ref null $unary)) (result i32)
            (i32.add (i32.const 100) (call_ref $unary (i32.const 4) (local.get 0))))
          (func (export "callGiven") (result i32) (call_ref $unary (i32.const 4) (call $give)))
          (func (export "callTable") (result i32) (call_indirect $t (type $unary) (i32.const 4) (i32.const 0)))
          (func $again (export "again") (type $unary)
            (call_ref $unary (local.get 0) (ref.func $again))))
        """;

    static Guest Start(Func<object?>? give = null) => Guest.FromWat(Text, define: linker => linker.Define(
        "env", "give", GiveType(linker), (_, _, results) => results[0] = Value.FromReference(give?.Invoke())));

    // The import's own type, which names $unary by its number in the engine.
    static FunctionType GiveType(Linker linker) =>
        Module.Compile(linker.Engine, WatText.ToBinary(Text)).Imports[0].FunctionType!;

    [Fact]
    public void A_function_of_the_type_is_taken_as_argument_result_element_and_global()
    {
        Function? given = null;
        using var guest = Start(() => given);
        given = guest.Instance.FindFunction("double");

        Assert.Equal(108, guest.CallI32("call", Value.FromReference(given)));
        Assert.Equal(8, guest.CallI32("callGiven"));
        guest.Instance.FindTable("table")![0] = given;
        Assert.Equal(8, guest.CallI32("callTable"));
        guest.Instance.FindGlobal("global")!.Value = Value.FromReference(given);
    }

    [Fact]
    public void A_function_of_another_type_is_refused_wherever_it_would_enter()
    {
        object? given = null;
        using var guest = Start(() => given);
        given = guest.Instance.FindFunction("seven");
        var value = Value.FromReference(given);

        Assert.Throws<ArgumentException>(() => guest.Call("call", value));
        Assert.Throws<ArgumentException>(() => guest.Call("callGiven"));
        Assert.Throws<ArgumentException>(() => guest.Instance.FindTable("table")![0] = given);
        Assert.Throws<ArgumentException>(() => guest.Instance.FindTable("table")!.Grow(1, given));
        Assert.Throws<ArgumentException>(() => guest.Instance.FindGlobal("global")!.Value = value);
        given = "no function";
        Assert.Throws<ArgumentException>(() => guest.Call("callGiven"));
    }

    [Fact]
    public void A_function_of_another_store_is_refused()
    {
        using var other = Start();
        using var guest = Start();

        Assert.Throws<ArgumentException>(
            () => guest.Call("call", Value.FromReference(other.Instance.FindFunction("double"))));
    }

    [Fact]
    public void Null_is_refused_where_the_type_has_none_and_traps_when_called()
    {
        using var guest = Start();

        Assert.Throws<ArgumentException>(() => guest.Call("call", Value.FromReference(null)));
        Assert.Equal(TrapCode.NullReference, guest.Traps("callNullable", Value.FromReference(null)).Code);
        Assert.Equal(TrapCode.NullReference, guest.Traps("callGiven").Code);
        Assert.Equal(TrapCode.UninitializedElement, guest.Traps("callTable").Code);
    }

    [Fact]
    public void A_table_without_null_needs_an_initial_element()
    {
        using var guest = Start();
        var type = guest.Instance.FindTable("table")!.ElementType with { IsNullable = false };

        Assert.Throws<ArgumentException>(() => new Table(guest.Store, type, 1));
        Assert.Throws<ArgumentException>(() => new Table(guest.Store, type, 0).Grow(1, null));
        Assert.Equal(2, new Table(guest.Store, type, 2, initial: guest.Instance.FindFunction("double")).Count);
    }

    [Fact]
    public void Calls_through_references_are_stopped_by_the_stack_and_by_an_interrupt()
    {
        using var guest = Start();

        Assert.Equal(TrapCode.CallStackExhausted, guest.Traps("again", Value.From(1)).Code);
        guest.Store.Interrupt();
        Assert.Equal(TrapCode.Interrupted, guest.Traps("again", Value.From(1)).Code);
    }

    [Fact]
    public void A_type_must_name_types_of_the_engine()
    {
        using var engine = new Engine();
        var type = FunctionType.Of([ValueType.Reference(3, isNullable: true)], []);

        Assert.Throws<ArgumentException>(() => new Linker(engine).Define("env", "f", type, (_, _, _) => { }));
        using var store = new Store(engine);
        Assert.Throws<ArgumentException>(() => new Tag(store, type));
        Assert.Throws<ArgumentException>(
            () => new Global(store, type.Parameters[0], isMutable: true, Value.FromReference(null)));
        Assert.Throws<ArgumentException>(() => new Table(store, type.Parameters[0], 0));
    }

    [Fact]
    public void An_indirect_call_takes_a_subtype_and_nothing_beside_it()
    {
        using var guest = Guest.FromWat("""
            (module
              (type $base (sub (func (result i32))))
              (type $derived (sub $base (func (result i32))))
              (type $beside (sub $base (func (result i32))))
              (table funcref (elem $b $d))
              (func $b (type $base) (i32.const 1))
              (func $d (type $derived) (i32.const 2))
              (func (export "base") (param i32) (result i32) (call_indirect (type $base) (local.get 0)))
              (func (export "derived") (param i32) (result i32) (call_indirect (type $derived) (local.get 0)))
              (func (export "beside") (param i32) (result i32) (call_indirect (type $beside) (local.get 0))))
            """);

        Assert.Equal(1, guest.CallI32("base", Value.From(0)));
        Assert.Equal(2, guest.CallI32("base", Value.From(1)));
        Assert.Equal(2, guest.CallI32("derived", Value.From(1)));
        Assert.Equal(TrapCode.IndirectCallTypeMismatch, guest.Traps("derived", Value.From(0)).Code);
    }
}
