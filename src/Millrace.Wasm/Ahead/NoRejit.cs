using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// Marks all methods of a finished image as aggressively optimised. The runtime then leaves its machine code as it is,
/// where it would else compile hot methods again (and the largest of them without optimising), and what crossgen2 left
/// to the JIT is optimised at once. crossgen2 itself passes such methods by, so they are marked when it is done.
/// </summary>
static class NoRejit
{
    // ECMA-335 II.22.26: a row of MethodDef begins with the RVA, 4 bytes, then ImplFlags, 2 bytes.
    const int ImplFlagsAt = 4;

    public static void Mark(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image));
        var metadata = file.GetMetadataReader();
        var row = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.MethodDef);
        for (var i = 0; i < metadata.GetTableRowCount(TableIndex.MethodDef); i++)
        {
            var flags = image.AsSpan(row + ImplFlagsAt, sizeof(ushort));
            BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags)
                | (ushort)MethodImplAttributes.AggressiveOptimization));
            row += metadata.GetTableRowSize(TableIndex.MethodDef);
        }
    }
}
