
namespace Millrace.Wasm.Verification;

/// <summary>Methods on tables: each holds references of its type alone.</summary>
static class TableRules
{
    public static void Call(MethodFrame frame, Member member)
    {
        var definition = frame.Contract.Definition;
        switch (member.Role)
        {
            case MemberRole.TableGet:
                frame.PopInt64();
                frame.Push(Kind.Object, TypeOf(frame, PopTable(frame)));
                break;
            case MemberRole.TableSet:
                var value = frame.Pop(Kind.Object);
                frame.PopInt64();
                CheckFits(frame, value.Of, PopTable(frame));
                break;
            case MemberRole.TableGrow:
                frame.PopInt64();
                var filling = frame.Pop(Kind.Object);
                CheckFits(frame, filling.Of, PopTable(frame));
                frame.Push(Kind.Int32);
                break;
            case MemberRole.TableFill:
                frame.PopInt64();
                var filler = frame.Pop(Kind.Object);
                frame.PopInt64();
                CheckFits(frame, filler.Of, PopTable(frame));
                break;
            case MemberRole.TableCopy:
                for (var i = 0; i < 3; i++) frame.PopInt64();
                var source = frame.PopIndex(definition.Tables.Length);
                CheckFits(frame, TypeOf(frame, source), PopTable(frame));
                break;
            case MemberRole.TableInit:
                for (var i = 0; i < 2; i++) frame.PopInt32();
                frame.PopInt64();
                var segment = definition.Elements[frame.PopIndex(definition.Elements.Length)];
                CheckFits(frame, frame.References.Of(segment.Type), PopTable(frame));
                break;
            case MemberRole.FunctionReference:
                var function = definition.Functions[frame.PopIndex(definition.Functions.Length)];
                frame.Pop(Kind.Context);
                frame.Push(Kind.Object, frame.References.Defined(function.TypeIndex));
                break;
        }
    }

    static int PopTable(MethodFrame frame)
    {
        var table = frame.PopIndex(frame.Contract.Definition.Tables.Length);
        frame.Pop(Kind.Context);
        return table;
    }

    static int TypeOf(MethodFrame frame, int table) =>
        frame.References.Of(frame.Contract.Definition.Tables[table].ElementType);

    static void CheckFits(MethodFrame frame, int type, int table)
    {
        if (!frame.References.Is(type, TypeOf(frame, table))) throw new Refusal("a reference of another type in a table");
    }
}
