using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Which instruction each piece of a function's CIL stands for. Not kept with the code: a function that is compiled
/// once more comes out the same, so the map of the few that a backtrace names is made when it is read.
/// </summary>
sealed class CodeMap(int origin)
{
    /// <summary>A callee that is not a function of the module's own, or is not known.</summary>
    public const int AnyCallee = -1;

    const int NoCallee = -2;

    readonly List<Piece> _pieces = [];

    /// <summary>From that place of the CIL on, code stands for the instruction just read.</summary>
    public void Add(int cil, in InstructionReader reader, int importCount) =>
        Append(new Piece(cil, reader.Offset - origin, Callee(reader, importCount), reader.Row.Results.IsEmpty));

    /// <summary>What comes from there on stands for no instruction.</summary>
    public void End(int cil) => Append(new Piece(cil, 0, NoCallee, IsEffect: false));

    /// <summary>
    /// Offset in the code section of the instruction that calls <paramref name="callee"/>, as far as it can be told.
    /// </summary>
    /// <param name="cil">
    /// Where the runtime says that it is. It knows starts of statements: places where the CIL stack is empty. The JIT
    /// may have moved a call into the statement that uses its result, and two calls may be in one.
    /// </param>
    /// <param name="callee">The function of the frame within, if it is of this module.</param>
    public int? Find(int cil, int callee)
    {
        var at = IndexOf(cil);
        if (at < 0) return null;
        var (here, before, behind) = (_pieces[at], Near(at - 1), Near(at + 1));
        if (callee == AnyCallee)
        {
            if (here.Callee == AnyCallee || (here.Callee == NoCallee && here.IsEffect)) return here.Offset;
            return before.Callee == AnyCallee && here.Callee == NoCallee ? before.Offset : null;
        }
        foreach (var piece in (ReadOnlySpan<Piece>)[here, before, behind])
            if (piece.Callee == callee) return piece.Offset;
        // Through a reference, or what it called has called another in its place.
        if (here.Callee != NoCallee) return here.Offset;
        return before.Callee != NoCallee ? before.Offset : null;
    }

    int IndexOf(int cil)
    {
        var (low, high) = (0, _pieces.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_pieces[middle].Cil <= cil) low = middle;
            else high = middle - 1;
        }
        return high >= 0 && _pieces[low].Cil <= cil ? low : -1;
    }

    Piece Near(int index) =>
        (uint)index < (uint)_pieces.Count ? _pieces[index] : new Piece(0, 0, NoCallee, IsEffect: false);

    // Instructions that write nothing at their own place, such as constants, have no piece; and the last byte or two
    // of one may be taken back by the next.
    void Append(Piece piece)
    {
        while (_pieces.Count > 0 && _pieces[^1].Cil >= piece.Cil) _pieces.RemoveAt(_pieces.Count - 1);
        _pieces.Add(piece);
    }

    static int Callee(in InstructionReader reader, int importCount) => reader.Opcode switch
    {
        Opcode.Call => reader.Index >= importCount ? reader.Index : AnyCallee,
        Opcode.CallIndirect or Opcode.CallRef => AnyCallee,
        _ => NoCallee,
    };

    /// <summary>A piece of the code.</summary>
    /// <param name="Cil">Where it starts.</param>
    /// <param name="Offset">The instruction's offset in the code section.</param>
    /// <param name="Callee">The function it calls.</param>
    /// <param name="IsEffect">Whether it gives no result.</param>
    readonly record struct Piece(int Cil, int Offset, int Callee, bool IsEffect);
}
