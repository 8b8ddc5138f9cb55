using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;
using static Millrace.Wasm.Tests.Binary.ModuleBytes;

namespace Millrace.Wasm.Tests.Validation;

public sealed class TypeCanonicalizerTests
{
    const byte I32 = 0x7F, I64 = 0x7E;

    readonly TypeCanonicalizer _types = new();

    [Fact]
    public void Gives_equal_types_of_different_modules_the_same_number()
    {
        var first = Add(Type([I32], []), Type([I64], []));
        var second = Add(Type([I64], []), Type([I64], []), Type([I32], []));

        Assert.Equal([first[1], first[1], first[0]], second);
        Assert.Equal(first[0], _types.Add(FunctionType.Of([ValueType.I32], [])));
    }

    [Fact]
    public void Compares_whole_recursion_groups()
    {
        byte[] self = [0x5F, 1, 0x63, 0, 0]; // a struct that refers to type 0
        byte[] other = [0x5F, 1, 0x63, 1, 0];

        var alone = Add([0x4E, 1, .. self]);
        var again = Add([0x4E, 1, .. self]);
        var pair = Add([0x4E, 2, .. self, .. self]);
        var shifted = Add(Type([], []), [0x4E, 1, .. other]);

        Assert.Equal(alone, again);
        Assert.Equal(alone[0], shifted[1]);
        Assert.NotEqual(alone[0], pair[0]);
        Assert.NotEqual(pair[0], pair[1]);
    }

    [Fact]
    public void Knows_declared_subtypes_across_modules()
    {
        byte[] open = [0x50, 0, 0x5F, 0];
        var first = Add(open, [0x50, 1, 0, 0x5F, 1, I32, 0]);
        var second = Add(Type([], []), open, [0x50, 1, 1, 0x5F, 1, I32, 0]);

        Assert.Equal(first[1], second[2]);
        Assert.True(_types.IsSubtype(second[2], first[0]));
        Assert.False(_types.IsSubtype(first[0], second[2]));
    }

    [Fact]
    public void Does_not_mistake_a_final_type_for_an_open_one()
    {
        var ids = Add([0x50, 0, 0x5F, 0], [0x4F, 0, 0x5F, 0], [0x5F, 0]);

        Assert.NotEqual(ids[0], ids[1]);
        Assert.Equal(ids[1], ids[2]);
    }

    [Theory]
    [InlineData(HeapKind.None, HeapKind.Any, true)]
    [InlineData(HeapKind.I31, HeapKind.Eq, true)]
    [InlineData(HeapKind.Struct, HeapKind.Any, true)]
    [InlineData(HeapKind.Eq, HeapKind.Struct, false)]
    [InlineData(HeapKind.None, HeapKind.Func, false)]
    [InlineData(HeapKind.NoFunc, HeapKind.Func, true)]
    [InlineData(HeapKind.Extern, HeapKind.Any, false)]
    [InlineData(HeapKind.NoExn, HeapKind.Exn, true)]
    public void Orders_the_abstract_heap_types(HeapKind sub, HeapKind super, bool expected) =>
        Assert.Equal(expected, _types.Matches(ValueType.Reference(sub, false), ValueType.Reference(super, true)));

    [Fact]
    public void Orders_defined_types_among_the_abstract_ones()
    {
        var ids = Add([0x5F, 0], Type([], []));
        var (structure, function) = (ValueType.Reference(ids[0], false), ValueType.Reference(ids[1], false));

        Assert.True(_types.Matches(structure, ValueType.Reference(HeapKind.Eq, false)));
        Assert.True(_types.Matches(function, ValueType.FuncRef));
        Assert.False(_types.Matches(function, ValueType.Reference(HeapKind.Any, true)));
        Assert.True(_types.Matches(ValueType.Reference(HeapKind.None, false), structure));
        Assert.False(_types.Matches(ValueType.Reference(HeapKind.NoFunc, false), structure));
        Assert.False(_types.Matches(structure with { IsNullable = true }, structure));
    }

    [Fact]
    public void Gives_the_same_numbers_to_threads_that_add_at_once()
    {
        var section = Enumerable.Range(0, 200).Select(i => Type([.. Enumerable.Repeat(I32, i % 50)], [I64]));
        var types = Decoder.Decode(Module(Section(TypeSection, [.. section]))).Types;
        var results = new int[8][];

        Parallel.For(0, results.Length, i => results[i] = _types.Add(types));

        Assert.All(results, ids => Assert.Equal(results[0], ids));
        Assert.Equal(50, results[0].Distinct().Count());
    }

    int[] Add(params byte[][] types) => _types.Add(Decoder.Decode(Module(Section(TypeSection, types))).Types);
}
