using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Throws, and the filters of <c>try_table</c>. A filter of CIL runs before anything is unwound, and what it refuses
/// costs nothing; a handler only takes the values out and leaves, for it runs on top of the stack that threw.
/// </summary>
sealed class Exceptions(FunctionBody body, OperandStack stack)
{
    static readonly MethodInfo Make = Member(nameof(GuestExceptions.Make));
    static readonly MethodInfo First = Member(nameof(GuestExceptions.First));
    static readonly MethodInfo ThrowContent = Member(nameof(GuestExceptions.Throw));
    static readonly MethodInfo IsAny = Member(nameof(GuestExceptions.IsAny));
    static readonly MethodInfo IsThrown = Member(nameof(GuestExceptions.IsThrown));
    static readonly MethodInfo Content = Member(nameof(GuestExceptions.Content));
    static readonly MethodInfo HasTag = Member(nameof(GuestExceptions.HasTag));

    IlWriter Il => body.Il;

    public void Throw(int tag)
    {
        var types = body.Module.Definition.TagType(tag).Parameters;
        var content = body.Pool.Take(CilType.Object);
        body.LoadContext();
        Il.Constant(tag);
        Call(Make, 2, 1);
        Il.StoreLocal(content);
        for (var i = 0; i < types.Length; i++)
        {
            WriteFirst(content);
            Il.Constant(i);
            stack.Write(stack.Peek(types.Length - 1 - i));
            CrossingCompiler.Write(body.Module.Image, Il, types[i]);
        }
        for (var i = 0; i < types.Length; i++) stack.Pop();
        Il.LoadLocal(content);
        body.Pool.Free(CilType.Object, content);
        EndInThrow();
    }

    public void ThrowReference()
    {
        stack.Write(stack.Pop());
        EndInThrow();
    }

    /// <summary>The filter; the exception is on the stack.</summary>
    public void WriteFilter(ReadOnlySpan<CatchClause> clauses)
    {
        if (clauses[^1].TagIndex < 0)
        {
            body.LoadContext();
            Call(IsAny, 2, 1);
        }
        else
        {
            WriteTagFilter(clauses);
        }
        Il.Op(ILOpCode.Endfilter);
    }

    /// <summary>The start of a handler: takes the exception off the stack, and answers the local that holds it.
    /// </summary>
    public int TakeException()
    {
        var content = body.Pool.Take(CilType.Object);
        Call(Content, 1, 1);
        Il.StoreLocal(content);
        return content;
    }

    /// <summary>Goes on at the label unless the clause takes the exception.</summary>
    public void WriteTest(CatchClause clause, int content, IlLabel otherwise)
    {
        Il.LoadLocal(content);
        body.LoadContext();
        Il.Constant(clause.TagIndex);
        Call(HasTag, 3, 1);
        Il.Jump(ILOpCode.Brfalse, otherwise);
    }

    /// <summary>How many operands a clause gives to its label.</summary>
    public int ValueCount(CatchClause clause)
    {
        var values = clause.TagIndex < 0 ? 0 : body.Module.Definition.TagType(clause.TagIndex).Parameters.Length;
        return values + (clause.Kind is CatchKind.TagAndReference or CatchKind.AllAndReference ? 1 : 0);
    }

    /// <summary>One of the operands that a clause gives to its label: a value, or behind them the reference.</summary>
    public void WriteValue(CatchClause clause, int content, int index)
    {
        var isReference = clause.TagIndex < 0
            || index == body.Module.Definition.TagType(clause.TagIndex).Parameters.Length;
        if (isReference)
        {
            Il.LoadLocal(content);
            return;
        }
        WriteFirst(content);
        Il.Constant(index);
        var type = body.Module.Definition.TagType(clause.TagIndex).Parameters[index];
        CrossingCompiler.Read(body.Module.Image, Il, type);
    }

    /// <summary>The clauses up to the first that takes everything.</summary>
    public static ReadOnlySpan<CatchClause> Reachable(ReadOnlySpan<CatchClause> clauses)
    {
        for (var i = 0; i < clauses.Length; i++)
            if (clauses[i].TagIndex < 0) return clauses[..(i + 1)];
        return clauses;
    }

    void WriteTagFilter(ReadOnlySpan<CatchClause> clauses)
    {
        var thrown = body.Pool.Take(CilType.Object);
        Il.StoreLocal(thrown);
        for (var i = 0; i < clauses.Length; i++)
        {
            Il.LoadLocal(thrown);
            body.LoadContext();
            Il.Constant(clauses[i].TagIndex);
            Call(IsThrown, 3, 1);
            if (i != 0) Il.Op(ILOpCode.Or);
        }
        body.Pool.Free(CilType.Object, thrown);
    }

    void WriteFirst(int content)
    {
        Il.LoadLocal(content);
        Call(First, 1, 1);
    }

    // A method that does nothing but throw: the JIT moves the call out of the hot path.
    void EndInThrow()
    {
        Call(ThrowContent, 1, 0);
        Il.Op(ILOpCode.Ldnull);
        Il.Op(ILOpCode.Throw);
        Il.EndOfPath();
    }

    void Call(MethodInfo method, int pops, int pushes) => Il.Call(body.Module.Image.Method(method), pops, pushes);

    static MethodInfo Member(string name) => GuestMembers.Method(typeof(GuestExceptions), name);
}
