using System.Collections.Immutable;

namespace Millrace.Wasm.Binary;

/// <content>Function bodies and constant expressions: every instruction is read once to find what is malformed, and
/// the features that code uses.</content>
ref partial struct ModuleReader
{
    void ReadCode()
    {
        _codeSection = new CodeRange(_bytes.Position, _bytes.End);
        _bodies = new FunctionBody[_bytes.Count(Limits.Functions, "functions")];
        for (var i = 0; i < _bodies.Length; i++) _bodies[i] = ReadBody();
    }

    FunctionBody ReadBody()
    {
        var at = _bytes.Position;
        var length = _bytes.U32();
        if (length > (uint)_bytes.Left) throw _bytes.UnexpectedEnd();
        if (length > Limits.FunctionBytes) throw Malformed($"function too large: {length} bytes", at);
        if (_known is not null)
        {
            var body = new CodeRange(_bytes.Position, _bytes.Position + (int)length);
            _bytes.Position = body.End;
            return new FunctionBody(Arrays<LocalRun>.Empty, 0, body);
        }
        var section = _bytes;
        var end = section.Position + (int)length;
        _bytes = new ByteReader(_module, section.Position, end);
        var locals = ReadLocals(out var localCount);
        var start = _bytes.Position;
        var scan = new InstructionReader(_module, new CodeRange(start, end));
        ScanCode(ref scan, isBody: true);
        if (scan.Position != end) throw Malformed("section size mismatch", scan.Position);
        section.Position = end;
        _bytes = section;
        return new FunctionBody(locals, localCount, new CodeRange(start, end));
    }

    /// <summary>Joins the function section's types with the code section's bodies.</summary>
    readonly void DefineFunctions()
    {
        if (_bodies.Length != _functionTypes.Length)
            throw Malformed("function and code section have inconsistent lengths", _module.Length);
        for (var i = 0; i < _bodies.Length; i++)
        {
            _functions.Add(new FunctionDefinition
            {
                Index = _functions.Count,
                TypeIndex = _functionTypes[i],
                Type = FunctionTypeAt(_functionTypes[i]),
                Locals = _bodies[i].Locals,
                LocalCount = _bodies[i].LocalCount,
                Body = _bodies[i].Code,
            });
        }
    }

    /// <summary>What the code section tells of a function.</summary>
    readonly record struct FunctionBody(ImmutableArray<LocalRun> Locals, int LocalCount, CodeRange Code);

    ImmutableArray<LocalRun> ReadLocals(out int total)
    {
        var runs = _bytes.U32();
        var locals = new ArrayBuilder<LocalRun>((int)Math.Min(runs, 16));
        var sum = 0UL;
        for (var i = 0U; i < runs; i++)
        {
            var at = _bytes.Position;
            var count = _bytes.U32();
            sum += count;
            if (sum > Limits.Locals && _without != SafetyCheck.Locals)
                throw Malformed($"too many locals: {sum}, the limit is {Limits.Locals}", at);
            var type = ReadValueType();
            if (count > 0) locals.Add(new LocalRun((int)count, type));
        }
        total = (int)sum;
        return locals.Finish();
    }

    CodeRange ReadExpression()
    {
        var range = new CodeRange(_bytes.Position, _bytes.End);
        if (PlainConstant.TryRead(_module, ref _bytes.Position, range.End, out _))
            return range with { End = _bytes.Position };
        var scan = new InstructionReader(_module, range);
        ScanCode(ref scan, isBody: false);
        _bytes.Position = scan.Position;
        return range with { End = scan.Position };
    }

    // Reads up to the `end` that closes the expression itself.
    void ScanCode(ref InstructionReader scan, bool isBody)
    {
        var depth = 1;
        _blocks[0] = false;
        while (depth > 0)
        {
            if (!scan.Read()) throw MissingEnd(scan.Position, isBody);
            _features |= scan.Row.Feature;
            switch (scan.Row.Immediate)
            {
                case ImmediateKind.Nothing:
                    if (scan.Opcode == Opcode.End) depth--;
                    if (scan.Opcode == Opcode.Else) ScanElse(depth, scan.Offset);
                    if (!isBody && IsExtended(scan.Opcode)) _features |= WasmFeatures.ExtendedConst;
                    break;
                case ImmediateKind.Block or ImmediateKind.TryBlock:
                    ScanBlock(ref depth, scan.Opcode == Opcode.If, scan.Offset);
                    _features |= FeaturesOf(scan.Block);
                    break;
                default:
                    ScanOther(scan, isBody);
                    break;
            }
        }
    }

    readonly void ScanElse(int depth, int offset)
    {
        if (!_blocks[depth - 1]) throw Malformed("END opcode expected", offset);
        _blocks[depth - 1] = false;
    }

    static bool IsExtended(Opcode opcode) =>
        opcode is Opcode.I32Add or Opcode.I32Sub or Opcode.I32Mul or Opcode.I64Add or Opcode.I64Sub or Opcode.I64Mul;

    void ScanBlock(ref int depth, bool isIf, int offset)
    {
        if (depth == Limits.Nesting && _without != SafetyCheck.Nesting)
            throw Malformed($"blocks nested too deeply: the limit is {Limits.Nesting}", offset);
        if (depth == _blocks.Length) Array.Resize(ref _blocks, depth * 2);
        _blocks[depth++] = isIf;
    }

    void ScanOther(in InstructionReader scan, bool isBody)
    {
        switch (scan.Row.Immediate)
        {
            case ImmediateKind.MemoryInit or ImmediateKind.DataIndex or ImmediateKind.TypeAndData:
                // Required for the code section only: a constant expression has its own error (validation).
                if (isBody && _dataCount is null) throw Malformed("data count section required", scan.Offset);
                break;
            case ImmediateKind.SelectTypes:
                foreach (var type in scan.SelectTypes) _features |= type.Features();
                break;
            case ImmediateKind.HeapType:
                // `ref.null func` and `ref.null extern` came before all other heap types.
                _features |= (scan.Reference with { IsNullable = true }).Features();
                break;
            case ImmediateKind.CastBranch:
                _features |= scan.Reference.Features() | scan.CastFrom.Features();
                break;
            case ImmediateKind.GlobalIndex when !isBody && (uint)scan.Index >= (uint)_imported.Globals:
                _features |= WasmFeatures.ExtendedConst;
                break;
        }
    }

    readonly WasmFeatures FeaturesOf(BlockType block)
    {
        if (block.TypeIndex < 0) return block.Result.Features();
        var type = block.TypeIndex < _types.Count ? FunctionTypeAt((int)block.TypeIndex) : FunctionTypes.Empty;
        return type.Parameters.Length > 0 || type.Results.Length > 1 ? WasmFeatures.MultiValue : WasmFeatures.None;
    }

    // A body that stops too early. Like the reference interpreter we look at the byte behind it, because the suite
    // tells the three cases apart: nothing follows, an `end` follows (the size is wrong), or something else.
    readonly MalformedException MissingEnd(int at, bool isBody) =>
        !isBody || at >= _module.Length ? Malformed("unexpected end of section or function", at)
        : _module[at] == 0x0B ? Malformed("section size mismatch", at)
        : Malformed("END opcode expected", at);

    // What the index spaces as a whole tell.
    void ScanFeatures()
    {
        if (_memories.Count > 1) _features |= WasmFeatures.MultiMemory;
        if (_tables.Count > 1) _features |= WasmFeatures.ReferenceTypes;
        if (_tags.Count > 0) _features |= WasmFeatures.Exceptions;
        if (_dataCount is not null) _features |= WasmFeatures.BulkMemory;
        for (var i = 0; i < _imported.Globals; i++)
            if (_globals[i].IsMutable) _features |= WasmFeatures.MutableGlobals;
        foreach (var export in _exports)
        {
            if (export.Kind == ExternKind.Global && IsMutableGlobal(export.Index))
                _features |= WasmFeatures.MutableGlobals;
        }
    }

    readonly bool IsMutableGlobal(int index) => (uint)index < (uint)_globals.Count && _globals[index].IsMutable;
}
