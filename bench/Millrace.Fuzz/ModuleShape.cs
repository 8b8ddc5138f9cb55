using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Millrace.Wasm.Binary;

namespace Millrace.Fuzz;

/// <summary>A function's signature; types as letters.</summary>
sealed record FunctionShape(int Index, string Parameters, string Results)
{
    public string Name => $"f{Index}";

    /// <summary>JavaScript cannot give or take a v128.</summary>
    public bool IsExported => !Parameters.Contains('v', StringComparison.Ordinal)
        && !Results.Contains('v', StringComparison.Ordinal);

    public string Type => string.Concat(Parameters.Select(type => $" (param {Letters.Name(type)})"))
        + string.Concat(Results.Select(type => $" (result {Letters.Name(type)})"));
}

/// <summary>A memory: its name, the letter of its address type, and whether threads could share it.</summary>
sealed record MemoryShape(string Name, char Address, bool IsShared = false);

/// <summary>What a module declares, before the bodies.</summary>
sealed class ModuleShape
{
    public const int PageBytes = 65536;
    public const int TableSize = 8;
    public const int SegmentBytes = 40;
    const int OftenMax = 24;

    readonly Choices _choices;

    ModuleShape(Choices choices) => _choices = choices;

    public required ImmutableArray<FunctionShape> Functions { get; init; }

    public required ImmutableArray<MemoryShape> Memories { get; init; }

    /// <summary>Mutable globals: name and type.</summary>
    public required ImmutableArray<(string Name, char Type)> Globals { get; init; }

    /// <summary>What the table holds at first from its second element on, by index of the function.</summary>
    public required ImmutableArray<int> Table { get; init; }

    /// <summary>
    /// Instructions that this module has in more places than others: there are so many that each would be rare. Which
    /// they are the seed says, so that each has its turn.
    /// </summary>
    public required ImmutableArray<Instruction> Often { get; init; }

    public static ModuleShape Of(Choices choices)
    {
        // Many give the same, for only those can call each other in place of themselves.
        var results = Types(choices, 4);
        var functions = Enumerable.Range(0, 3 + choices.Below(4)).Select(i => new FunctionShape(
            i, Types(choices, 5), choices.OneIn(3) ? results : Types(choices, 4))).ToImmutableArray();
        var memories = new List<MemoryShape> { new("m0", choices.OneIn(4) ? 'l' : 'i') };
        if (choices.OneIn(3)) memories.Add(new("m1", choices.OneIn(3) ? 'l' : 'i'));
        if (choices.OneIn(4)) memories.Add(new("m2", choices.OneIn(3) ? 'l' : 'i', IsShared: true));
        var globals = Letters.All.SelectMany(type => Enumerable.Range(0, 1 + choices.Below(2))
            .Select(i => ($"g{i}_{Letters.Name(type)}", type)));
        return new(choices)
        {
            Functions = functions,
            Memories = [.. memories],
            Globals = [.. globals],
            Often = [.. Enumerable.Range(0, OftenMax).Select(_ => choices.Of(NumericTable.Any))],
            Table = [.. Enumerable.Range(0, TableSize - 2).Select(_ => choices.Below(functions.Length))],
        };
    }

    public string Declarations()
    {
        var text = new StringBuilder(BodyGenerator.ObjectTypes);
        foreach (var memory in Memories)
        {
            var size = (memory.Address == 'l' ? "i64 1 3" : "1 3") + (memory.IsShared ? " shared" : "");
            text.Append(CultureInfo.InvariantCulture, $"  (memory ${memory.Name} (export \"{memory.Name}\") {size})\n");
        }

        foreach (var function in Functions)
            text.Append(CultureInfo.InvariantCulture, $"  (type $F{function.Index} (func{function.Type}))\n");
        foreach (var (name, type) in Globals)
        {
            // JavaScript cannot read a v128 global.
            var export = type == 'v' ? "" : $" (export \"{name}\")";
            text.Append(CultureInfo.InvariantCulture,
                $"  (global ${name}{export} (mut {Letters.Name(type)}) {BodyGenerator.Constant(_choices, type)})\n");
        }

        HasDeep = _choices.OneIn(12);
        var start = Memories[0].Address == 'l' ? "i64.const" : "i32.const";
        text.Append(CultureInfo.InvariantCulture, $"""
              (global $fuel (mut i32) (i32.const 0))
              (tag $t0 (param i32))
              (tag $t1 (param i64 f64))
              (table $t {TableSize} 12 funcref)
              (elem (table $t) (i32.const 1) func {string.Join(' ', Table.Select(i => $"$f{i}"))})
              (elem declare func {string.Join(' ', Functions.Select(function => $"${function.Name}"))})
              (elem $e func {Elements(4)})
              (elem $e0 func {Elements(4)})
              (data (memory $m0) ({start} {_choices.Below(PageBytes - SegmentBytes)}) "{Bytes()}")
              (data $d "{Bytes()}")
              (data $d0 "{Bytes()}")
              (data $dropped "{Bytes()}")
              (elem $dropped func {Elements(1)})
              {(HasDeep ? Deep() : "")}
              (func (export "reset") (global.set $fuel (i32.const 2000)))
              (func $burn
                (if (i32.eqz (global.get $fuel)) (then (unreachable)))
                (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1))))
              (func $canon_f (param f32) (result f32)
                (select (local.get 0) (f32.const nan) (f32.eq (local.get 0) (local.get 0))))
              (func $canon_d (param f64) (result f64)
                (select (local.get 0) (f64.const nan) (f64.eq (local.get 0) (local.get 0))))
              (func $canon_f32x4 (param v128) (result v128)
                (v128.bitselect (local.get 0) (f32x4.splat (f32.const nan)) (f32x4.eq (local.get 0) (local.get 0))))
              (func $canon_f64x2 (param v128) (result v128)
                (v128.bitselect (local.get 0) (f64x2.splat (f64.const nan)) (f64x2.eq (local.get 0) (local.get 0))))

            """);
        return text.ToString();
    }

    // Ends where the stack does: how deep that is nobody must see.
    string Deep() => _choices.Below(3) switch
    {
        0 => "(func $deep (export \"fdeep\") (param i32) (result i32) "
            + "(i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))",
        1 => "(func $deep (export \"fdeep\") (param i32) (result i32) (i32.xor (call $deeper (i64.const 5) (local.get 0)) "
            + "(i32.const 3))) (func $deeper (param i64 i32) (result i32) (i32.sub (call $deep (local.get 1)) (i32.const 2)))",
        _ => "(func $deep (export \"fdeep\") (param i32) (result i32) (block $caught (try_table (catch_all $caught) "
            + "(drop (call $deep (local.get 0))))) (i32.const 1)) ",
    };

    /// <summary>Whether it has the function whose calls never end by themselves.</summary>
    public bool HasDeep { get; private set; }

    static string Types(Choices choices, int limit) =>
        string.Concat(Enumerable.Range(0, choices.Below(limit)).Select(_ => Letters.All[choices.Below(Letters.All.Length)]));

    string Elements(int count) =>
        string.Join(' ', Enumerable.Range(0, count).Select(_ => $"$f{_choices.Below(Functions.Length)}"));

    string Bytes() => string.Concat(Enumerable.Range(0, SegmentBytes).Select(_ => $"\\{_choices.Below(256):x2}"));
}
