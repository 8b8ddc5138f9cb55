using System.Collections.Immutable;
using System.Globalization;
using Millrace.Wasm.Binary;

namespace Millrace.Fuzz;

/// <summary>Makes the body of one function: statements here, expressions in the other half.</summary>
sealed partial class BodyGenerator(
    Choices choices, ModuleShape shape, FunctionShape function, bool isProfiled,
    List<ImmutableDictionary<string, int>> counted)
{
    const int StatementsMax = 7;
    const int NodesMax = 160;
    const int OftenFirst = 4;

    // Most functions stay within memory and divide by odd numbers, or hardly any would come to its end.
    readonly bool _isWild = choices.OneIn(4);
    readonly List<(string Name, char Type)> _locals = [];
    readonly List<string> _labels = [];
    Dictionary<string, int> _operations = [];
    int _nodes;
    int _names;
    int _counters;

    public string Make()
    {
        for (var i = 0; i < function.Parameters.Length; i++) _locals.Add(($"p{i}", function.Parameters[i]));
        foreach (var type in Letters.All)
            for (var i = choices.Below(3); i > 0; i--) _locals.Add(($"v{_names++}", type));
        var body = Region(() => $"(call $burn) {FirstObjects()}(block $out {Often(OftenFirst)} "
                + $"{(_isWild && choices.OneIn(2) ? Walk() : "")} {Statements(2)})") + " "
            + Region(() => FitsForTail() is { Count: > 0 } fits && choices.OneIn(3) ? TailCall(choices.Of(fits))
                : string.Join(' ', function.Results.Select(type => Value(type, 4))));
        var export = function.IsExported ? $" (export \"{function.Name}\")" : "";
        var parameters = string.Concat(function.Parameters.Select((type, i) => $" (param $p{i} {Letters.Name(type)})"));
        var results = string.Concat(function.Results.Select(type => $" (result {Letters.Name(type)})"));
        var locals = string.Concat(_locals.Skip(function.Parameters.Length)
            .Select(local => $" (local ${local.Name} {Letters.Name(local.Type)})"))
            + string.Concat(Enumerable.Range(0, _counters).Select(i => $" (local $k{i} i32)"))
            + " (local $x exnref)" + (_hasObjects ? ObjectLocals : "");
        return $"(func ${function.Name}{export}{parameters}{results}{locals} {body})";
    }

    string Constant(char type)
    {
        Named($"{Letters.Name(type)}.const");
        return Constant(choices, type);
    }

    public static string Constant(Choices choices, char type) => type switch
    {
        'i' => $"(i32.const {Constants.I32(choices)})",
        'l' => $"(i64.const {Constants.I64(choices)})",
        'f' => $"(f32.const {Constants.Text(Constants.F32(choices))})",
        'd' => $"(f64.const {Constants.Text(Constants.F64(choices))})",
        _ => string.Create(
            CultureInfo.InvariantCulture, $"(v128.const i64x2 {Constants.I64(choices)} {Constants.I64(choices)})"),
    };

    /// <summary>Text whose instructions run together; counted where the module counts.</summary>
    string Region(Func<string> make)
    {
        var around = _operations;
        _operations = [];
        var text = make();
        if (isProfiled && _operations.Count > 0)
        {
            text = $"(global.set $c{counted.Count} (i64.add (global.get $c{counted.Count}) (i64.const 1))) {text}";
            counted.Add(_operations.ToImmutableDictionary());
        }

        _operations = around;
        return text;
    }

    string Named(string name)
    {
        _operations[name] = _operations.GetValueOrDefault(name) + 1;
        return name;
    }

    string Statements(int depth)
    {
        var count = 1 + choices.Below(StatementsMax);
        return string.Join("\n    ", Enumerable.Range(0, count).Select(_ => Region(() => Statement(depth))));
    }

    string Statement(int depth)
    {
        _nodes = 0;
        if (_hasObjects && choices.OneIn(4)) return choices.OneIn(3) ? OfReferences() : SetObject();
        if (_isWild && choices.OneIn(8)) return Walk();
        var kind = choices.Below(depth > 0 ? 23 : 12);
        return kind switch
        {
            <= 2 => SetLocal(5),
            3 => SetGlobal(4),
            <= 6 => Store(4),
            7 => Bulk(),
            8 => OfTable(),
            9 => $"({Named("drop")} {Value(AnyType(), 3)})",
            10 => CallForResults(),
            11 => Leave(),
            <= 13 => BlockStatement(depth),
            <= 15 => IfStatement(depth),
            <= 18 => LoopStatement(depth),
            19 => BranchTable(depth),
            20 => Catching(depth),
            21 => CatchingReference(depth),
            _ => $"({Named("memory.grow")} {Memory(out var memory)} {Constant(choices.Below(3), memory.Address)}) (drop)",
        };
    }

    string SetLocal(int depth)
    {
        if (_locals.Count == 0) return $"({Named("nop")})";
        var local = choices.Of(_locals);
        return $"({Named("local.set")} ${local.Name} {Value(local.Type, depth)})";
    }

    string SetGlobal(int depth)
    {
        var global = choices.Of(shape.Globals);
        return $"({Named("global.set")} ${global.Name} {Value(global.Type, depth)})";
    }

    // Of the instructions whose turn it is; what they give is kept where both engines show it.
    string Often(int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => Region(Often)));

    string Often()
    {
        _nodes = 0;
        if (choices.OneIn(30)) return Waiting();
        var row = choices.Of(shape.Often);
        if (row.Results.IsEmpty) return Store(row, 2);
        var type = NumericTable.Letter(row.Results[0]);
        var value = row.IsMemoryAccess ? Load(row) : Compute(row, 2);
        if (type == 'v') return $"({Named("v128.store")} {Access(Instructions.Of(Opcode.V128Store))} {value})";
        var kept = choices.Of(shape.Globals.Where(global => global.Type == type).ToList()).Name;
        return $"({Named("global.set")} ${kept} {value})";
    }

    string Store(int depth) => Store(choices.Of(NumericTable.Stores), depth);

    string Store(Instruction row, int depth)
    {
        var address = NumericTable.IsAtomic(row) ? AtomicAccess(row) : Access(row);
        var type = NumericTable.Letter(row.Parameters[1]);
        return $"({Named(row.Name)} {address} {Canonical(type, Value(type, depth))})";
    }

    // Accesses through one local that moves, past labels that are reached by several ways: what was checked on one of
    // them is not checked on the others.
    string Walk()
    {
        var fits = shape.Memories.Where(memory => _locals.Exists(local => local.Type == memory.Address)).ToList();
        if (fits.Count == 0) return $"({Named("nop")})";
        var memory = choices.Of(fits);
        var pointer = choices.Of(_locals.Where(local => local.Type == memory.Address).ToList()).Name;
        return string.Join(' ', Enumerable.Range(0, 2 + choices.Below(4)).Select(_ => choices.Below(4) switch
        {
            0 => $"(local.set ${pointer} ({Letters.Name(memory.Address)}.const {ModuleShape.PageBytes - choices.Below(24)}))",
            1 => $"(if {Value('i', 1)} (then {Through(memory, pointer)}))",
            _ => Through(memory, pointer),
        }));
    }

    string Through(MemoryShape memory, string pointer)
    {
        var row = choices.Of(NumericTable.Loading('i'));
        return $"(drop ({Named(row.Name)} ${memory.Name} offset={choices.Below(20)} (local.get ${pointer})))";
    }

    string Bulk()
    {
        var memory = Memory(out var target);
        switch (choices.Below(6))
        {
            case 0 or 1:
                return $"({Named("memory.fill")} {memory} {Address(target.Address)} {Value('i', 2)} {Length(target.Address)})";
            case 2 or 3:
                var other = Memory(out var source);
                var shorter = target.Address == 'l' && source.Address == 'l' ? 'l' : 'i';
                return $"({Named("memory.copy")} {memory} {other} {Address(target.Address)} {Address(source.Address)} {Length(shorter)})";
            case 4:
                return $"({Named("memory.init")} {memory} $d {Address(target.Address)} "
                    + $"(i32.const {choices.Below(_isWild ? ModuleShape.SegmentBytes : 24)}) (i32.const {choices.Below(16)}))";
            default:
                return choices.OneIn(_isWild ? 4 : 20) ? $"({Named("data.drop")} $d)"
                    : choices.OneIn(4) ? $"({Named("data.drop")} $dropped)"
                    : choices.OneIn(3) ? $"({Named("atomic.fence")})" : Waiting();
        }
    }

    string OfTable() => choices.Below(7) switch
    {
        0 => $"({Named("table.set")} $t {Element()} ({Named("ref.func")} $f{choices.Below(shape.Functions.Length)}))",
        1 => $"({Named("table.set")} $t {Element()} ({Named("table.get")} $t {Element()}))",
        2 => $"({Named("table.fill")} $t {Start()} ({Named("ref.null")} func) (i32.const {choices.Below(3)}))",
        3 => $"({Named("table.copy")} $t $t {Start()} {Start()} (i32.const {choices.Below(5)}))",
        4 => $"({Named("table.init")} $t $e {Start()} (i32.const {choices.Below(_isWild ? 4 : 2)}) (i32.const {choices.Below(3)}))",
        5 => $"(drop ({Named("table.grow")} $t ({Named("ref.null")} func) (i32.const {choices.Below(3)})))",
        _ => choices.OneIn(_isWild ? 4 : 12) ? $"({Named("elem.drop")} $e)"
            : choices.OneIn(3) ? $"({Named("elem.drop")} $dropped)" : $"(drop ({Named("ref.is_null")} ({Named("table.get")} $t {Element()})))",
    };

    string Element() => _isWild && choices.OneIn(8)
        ? choices.OneIn(2) ? Value('i', 1) : $"(i32.const {ModuleShape.TableSize + choices.Below(6)})" : $"(i32.const {choices.Below(ModuleShape.TableSize)})";

    // Where a few elements fit behind.
    string Start() => _isWild ? Element() : $"(i32.const {choices.Below(4)})";

    string CallForResults()
    {
        if (Callee() is not { } callee) return $"({Named("nop")})";
        var sink = string.Concat(callee.Results.Reverse().Select(type =>
            _locals.Where(local => local.Type == type).ToList() is { Count: > 0 } fits && !choices.OneIn(3)
                ? $" ({Named("local.set")} ${choices.Of(fits).Name})" : $" ({Named("drop")})"));
        return $"{Call(callee)}{sink}";
    }

    string Leave()
    {
        if (choices.OneIn(2)) return $"({Named("br_if")} {Label()} {Value('i', 3)})";
        Named("if");
        var condition = Value('i', 2);
        return $"(if {condition} (then {Region(Way)}))";
    }

    string Way()
    {
        var fits = FitsForTail();
        var tail = fits.Count == 0 ? null : choices.Of(fits);
        return choices.Below(9) switch
        {
            0 => $"({Named("unreachable")})",
            1 => choices.OneIn(3) ? $"({Named("throw")} $t1 {Value('l', 2)} {Value('d', 2)})"
                : $"({Named("throw")} $t0 {Value('i', 2)})",
            <= 5 when tail is not null => TailCall(tail),
            <= 7 => $"({Named("br")} {Label()})",
            _ => $"({Named("return")} {string.Join(' ', function.Results.Select(type => Value(type, 2)))})",
        };
    }

    List<FunctionShape> FitsForTail() =>
        [.. shape.Functions.Skip(function.Index + 1).Where(other => other.Results == function.Results)];

    string TailCall(FunctionShape callee) => choices.Below(3) switch
    {
        0 => $"({Named("return_call")} ${callee.Name} {Arguments(callee)})",
        1 => $"({Named("return_call_ref")} $F{callee.Index} {Arguments(callee)} {Reference(callee)})",
        _ => $"({Named("return_call_indirect")} $t{callee.Type} {Arguments(callee)} {ElementOf(callee)})",
    };

    // Branches go to blocks only, of which one is around all statements: a loop is gone round by its own counter.
    string Label() => _labels.Count > 0 ? $"${choices.Of(_labels)}" : "$out";

    string BlockStatement(int depth)
    {
        var label = $"b{_names++}";
        Named("block");
        _labels.Add(label);
        var body = Statements(depth - 1);
        _labels.RemoveAt(_labels.Count - 1);
        return $"(block ${label} {body})";
    }

    string IfStatement(int depth)
    {
        var condition = Value('i', 4);
        var (yes, no) = (Region(() => Statements(depth - 1)), choices.OneIn(2) ? $" (else {Region(() => Statements(depth - 1))})" : "");
        return $"({Named("if")} {condition} (then {yes}){no})";
    }

    string LoopStatement(int depth)
    {
        var (label, counter) = ($"l{_names++}", $"k{_counters++}");
        Named("loop");
        Named("br_if");
        var body = $"{Often(1)} {Statements(depth - 1)}";
        return $"(local.set ${counter} (i32.const {1 + choices.Below(6)})) (loop ${label} (call $burn) {body} "
            + $"(br_if ${label} (local.tee ${counter} (i32.sub (local.get ${counter}) (i32.const 1)))))";
    }

    string BranchTable(int depth)
    {
        var labels = Enumerable.Range(0, 1 + choices.Below(4)).Select(_ => $"b{_names++}").ToList();
        var index = choices.OneIn(2) ? Value('i', 2) : $"(i32.and {Value('i', 3)} (i32.const 3))";
        var targets = string.Join(' ', Enumerable.Range(0, 1 + choices.Below(5)).Select(_ => $"${choices.Of(labels)}"));
        var text = $"({Named("br_table")} {targets} {index})";
        for (var i = 0; i < labels.Count; i++)
        {
            // What comes after a block lies in those around it.
            var around = labels[(i + 1)..];
            _labels.AddRange(around);
            text = $"(block ${labels[i]} {text}) {Region(() => Statement(depth - 1))}";
            _labels.RemoveRange(_labels.Count - around.Count, around.Count);
        }

        return text;
    }

    string Catching(int depth)
    {
        var (caught, all, done) = ($"b{_names++}", $"b{_names++}", $"b{_names++}");
        Named("try_table");
        _labels.Add(done);
        var body = Statements(depth - 1);
        _labels.RemoveAt(_labels.Count - 1);
        var kept = _locals.FirstOrDefault(local => local.Type == 'i') is { Name: { } name }
            ? $"(local.set ${name})" : "(drop)";
        return $"(block ${done} (block ${all} (block ${caught} (result i32) "
            + $"(try_table (catch $t0 ${caught}) (catch_all ${all}) {body}) (br ${done})) {kept} (br ${done})) (nop))";
    }

    // The exception is caught with its reference, and mostly thrown again: into a second handler around.
    string CatchingReference(int depth)
    {
        var (caught, done, around) = ($"b{_names++}", $"b{_names++}", $"b{_names++}");
        Named("try_table");
        _labels.Add(done);
        var body = $"{Statements(depth - 1)} (if {Value('i', 1)} (then {Region(() => $"({Named("throw")} $t0 {Value('i', 1)})")}))";
        _labels.RemoveAt(_labels.Count - 1);
        var clause = choices.OneIn(2) ? $"catch_all_ref ${caught}" : $"catch_ref $t0 ${caught}";
        var results = clause.StartsWith("catch_ref", StringComparison.Ordinal) ? "(result i32 exnref)" : "(result exnref)";
        var kept = results.Length > 15 ? $"(local.set $x) (drop)" : "(local.set $x)";
        var again = Region(() => choices.OneIn(3) ? $"(drop ({Named("ref.is_null")} (local.get $x)))"
            : $"({Named("throw_ref")} (local.get $x))");
        var inner = $"(block ${done} (block ${caught} {results} (try_table ({clause}) {body}) (br ${done})) {kept} {again})";
        return _isWild && choices.OneIn(4) ? inner : $"(block ${around} (try_table (catch_all ${around}) {inner}))";
    }

    char AnyType() => Letters.All[choices.Below(Letters.All.Length)];

    static string Constant(int value, char type) => $"({Letters.Name(type)}.const {value})";

    // Times out at once, or does not begin to wait: no other thread would ever wake it.
    string Waiting()
    {
        var shared = shape.Memories.Where(memory => memory.IsShared).ToList();
        if (shared.Count == 0 && !_isWild) return $"({Named("nop")})";
        var memory = shared.Count == 0 || (_isWild && choices.OneIn(3)) ? choices.Of(shape.Memories) : choices.Of(shared);
        var (name, expected) = choices.OneIn(2) ? ("memory.atomic.wait32", 'i') : ("memory.atomic.wait64", 'l');
        return $"(drop ({Named(name)} ${memory.Name} offset={8 * choices.Below(8)} {AtomicAddress(memory.Address)} "
            + $"{Value(expected, 2)} (i64.const {choices.Below(1000)})))";
    }

    string Memory(out MemoryShape memory)
    {
        memory = choices.Of(shape.Memories);
        return $"${memory.Name}";
    }
}
