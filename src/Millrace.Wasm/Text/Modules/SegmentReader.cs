using System.Buffers;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Text.Modules;

/// <summary>Element and data segments, those written inside a table or memory too.</summary>
sealed class SegmentReader(Cursor cursor, ModuleScope scope, TypeReader types, ModuleSections sections)
{
    const int PageBytes = 65536;

    /// <summary>How elements are listed.</summary>
    /// <param name="Count">Number of elements.</param>
    /// <param name="Type">Their type; null: function indices.</param>
    /// <param name="Bytes">The elements.</param>
    sealed record ElementList(uint Count, ValueType? Type, byte[] Bytes);

    public void ReadElement()
    {
        cursor.TryId();
        if (cursor.TryKeyword("declare"))
        {
            WriteElement(mode: 3, null, ReadList(mayOmitKind: false));
            return;
        }

        uint? table = null;
        if (cursor.TryOpen("table"))
        {
            table = scope.Tables.Read(cursor);
            cursor.Close();
        }

        if (table is null && !IsOffset())
        {
            WriteElement(mode: 1, null, ReadList(mayOmitKind: false));
            return;
        }

        var target = new BinaryOutput();
        if (table is > 0) target.Unsigned(table.Value);
        ReadOffset(target);
        WriteElement(mode: table is > 0 ? 2 : 0, target, ReadList(mayOmitKind: table is null));
    }

    bool IsOffset() => cursor.Kind == TokenKind.Open && !types.IsReference;

    void ReadOffset(BinaryOutput output)
    {
        var code = new CodeReader(cursor, scope, types, output, new("local"));
        if (!cursor.TryOpen("offset"))
        {
            code.ReadFoldedExpression();
            return;
        }

        code.ReadExpression();
        cursor.Close();
    }

    ElementList ReadList(bool mayOmitKind)
    {
        if (cursor.TryKeyword("func")) return ReadFunctions();
        if (mayOmitKind && !types.IsReference) return ReadFunctions();
        return ReadExpressions(types.ReadReference());
    }

    ElementList ReadFunctions()
    {
        var bytes = new BinaryOutput();
        var count = 0u;
        for (; IndexSpace.IsIndex(cursor); count++) bytes.Unsigned(scope.Functions.Read(cursor));
        return new(count, null, bytes.Span.ToArray());
    }

    ElementList ReadExpressions(ValueType type)
    {
        var bytes = new BinaryOutput();
        var count = 0u;
        for (; cursor.Kind == TokenKind.Open; count++)
        {
            var code = new CodeReader(cursor, scope, types, bytes, new("local"));
            if (!cursor.TryOpen("item"))
            {
                code.ReadFoldedExpression();
                continue;
            }

            code.ReadExpression();
            cursor.Close();
        }

        return new(count, type, bytes.Span.ToArray());
    }

    /// <summary>Writes a segment. Modes as in the binary format: 0 active in table 0, 1 passive, 2 active in the
    /// named table, 3 declarative.</summary>
    void WriteElement(int mode, BinaryOutput? target, ElementList list)
    {
        // Mode 0 has no place for a type: its expressions are funcref.
        var isTyped = list.Type is not null && list.Type != ValueType.FuncRef;
        if (mode == 0 && isTyped)
        {
            mode = 2;
            sections.Elements.Byte(mode | 4);
            sections.Elements.Unsigned(0);
        }
        else
        {
            sections.Elements.Byte(mode | (list.Type is null ? 0 : 4));
        }

        if (target is not null) sections.Elements.Bytes(target.Span);
        if (mode != 0)
        {
            if (list.Type is { } type) TypeCode.Write(sections.Elements, type);
            else sections.Elements.Byte(0);
        }

        sections.Elements.Unsigned(list.Count);
        sections.Elements.Bytes(list.Bytes);
        sections.ElementCount++;
    }

    /// <summary>Reads <c>(elem …)</c> inside a table, and answers the number of elements.</summary>
    public uint ReadInlineElements(uint table, ValueType type, bool is64)
    {
        cursor.Open("elem");
        var list = cursor.Kind == TokenKind.Open ? ReadExpressions(type) : ReadFunctions();
        cursor.Close();
        if (list.Type is null && type != ValueType.FuncRef) list = AsExpressions(list, type);
        var target = new BinaryOutput();
        if (table > 0) target.Unsigned(table);
        WriteZeroOffset(target, is64);
        WriteElement(table > 0 ? 2 : 0, target, list);
        return list.Count;
    }

    /// <summary>Function indices as <c>ref.func</c> expressions, for tables of another type than funcref.</summary>
    static ElementList AsExpressions(ElementList list, ValueType type)
    {
        var bytes = new BinaryOutput();
        var isStart = true;
        foreach (var part in list.Bytes)
        {
            if (isStart) bytes.Byte((int)Opcode.RefFunc);
            bytes.Byte(part);
            // The last byte of a LEB128 number has its top bit clear.
            isStart = part < 0x80;
            if (isStart) bytes.Byte((int)Opcode.End);
        }

        return new(list.Count, type, bytes.Span.ToArray());
    }

    static void WriteZeroOffset(BinaryOutput output, bool is64)
    {
        output.Byte((int)(is64 ? Opcode.I64Const : Opcode.I32Const));
        output.Byte(0);
        output.Byte((int)Opcode.End);
    }

    public void ReadData()
    {
        cursor.TryId();
        sections.DataCount++;
        uint? memory = null;
        if (cursor.TryOpen("memory"))
        {
            memory = scope.Memories.Read(cursor);
            cursor.Close();
        }

        if (memory is null && cursor.Kind != TokenKind.Open)
        {
            sections.Datas.Byte(1);
        }
        else
        {
            sections.Datas.Byte(memory is > 0 ? 2 : 0);
            if (memory is > 0) sections.Datas.Unsigned(memory.Value);
            ReadOffset(sections.Datas);
        }

        sections.Datas.Sized(ReadStrings());
    }

    /// <summary>Reads <c>(data …)</c> inside a memory, and answers the number of pages that hold it.</summary>
    public ulong ReadInlineData(uint memory, bool is64)
    {
        cursor.Open("data");
        var bytes = ReadStrings();
        cursor.Close();
        sections.DataCount++;
        sections.Datas.Byte(memory > 0 ? 2 : 0);
        if (memory > 0) sections.Datas.Unsigned(memory);
        WriteZeroOffset(sections.Datas, is64);
        sections.Datas.Sized(bytes);
        return ((ulong)bytes.Length + PageBytes - 1) / PageBytes;
    }

    ReadOnlySpan<byte> ReadStrings()
    {
        var bytes = new ArrayBufferWriter<byte>();
        for (; cursor.Kind == TokenKind.Text; cursor.Position++) StringText.Decode(cursor.Span, bytes);
        return bytes.WrittenSpan;
    }
}
