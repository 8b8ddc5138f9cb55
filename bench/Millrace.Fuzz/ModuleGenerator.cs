using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Millrace.Fuzz;

/// <summary>
/// Makes a valid module of a seed, weighted toward the odd: edges of memory and of numbers, deep expressions, values
/// that live across branches. It ends by itself (a counter runs out), and nothing that differs between engines can be
/// seen of it: a NaN is made canonical before its bits are looked at.
/// </summary>
sealed class ModuleGenerator
{
    const int CallsOfEach = 8; // compiling takes far longer than running

    readonly Choices _choices;
    readonly bool _isProfiled;
    readonly List<ImmutableDictionary<string, int>> _counted = [];

    ModuleGenerator(long seed, bool isProfiled) => (_choices, _isProfiled) = (new(seed), isProfiled);

    /// <param name="seed">The module's number.</param>
    /// <param name="isProfiled">Whether it counts what it executes.</param>
    public static GeneratedModule Make(long seed, bool isProfiled) => new ModuleGenerator(seed, isProfiled).Make();

    GeneratedModule Make()
    {
        var shape = ModuleShape.Of(_choices);
        var bodies = new StringBuilder();
        foreach (var function in shape.Functions)
        {
            var writer = new BodyGenerator(_choices, shape, function, _isProfiled, _counted);
            bodies.Append(CultureInfo.InvariantCulture, $"  {writer.Make()}\n");
        }

        var text = new StringBuilder("(module\n");
        text.Append(shape.Declarations());
        for (var i = 0; i < _counted.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"  (global $c{i} (export \"c{i}\") (mut i64) (i64.const 0))\n");
        text.Append(bodies).Append(')').Append('\n');
        return new(text.ToString(), Calls(shape), [.. _counted]);
    }

    ImmutableArray<GeneratedCall> Calls(ModuleShape shape)
    {
        var calls = ImmutableArray.CreateBuilder<GeneratedCall>();
        for (var round = 0; round < CallsOfEach; round++)
        {
            foreach (var function in shape.Functions.Where(function => function.IsExported))
            {
                calls.Add(new("reset", [], []));
                calls.Add(new(
                    function.Name, [.. function.Parameters.Select(Argument)], [.. function.Results.Select(Letters.Name)]));
            }
        }

        if (shape.HasDeep) calls.Add(new("fdeep", ["i32:0"], ["i32"]));
        return calls.ToImmutable();
    }

    string Argument(char type) => Argument(_choices, type);

    /// <summary>An argument of that type, as calls have them.</summary>
    public static string Argument(Choices choices, char type) => type switch
    {
        'i' => $"i32:{Constants.I32(choices)}",
        'l' => $"i64:{Constants.I64(choices)}",
        'f' => $"f32:0x{Constants.F32(choices):x8}",
        _ => $"f64:0x{Constants.F64(choices):x16}",
    };
}

/// <summary>Types as letters, as the engine's instruction table has them.</summary>
static class Letters
{
    public const string All = "ilfdv";

    public static string Name(char letter) => letter switch
    {
        'i' => "i32",
        'l' => "i64",
        'f' => "f32",
        'd' => "f64",
        'v' => "v128",
        _ => throw new ArgumentOutOfRangeException(nameof(letter), letter, null),
    };
}
