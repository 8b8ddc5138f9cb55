using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Names of types in signatures: C#'s words for the plain ones, <c>~</c> before the engine's own (without
/// <c>Millrace.Wasm.</c>), <c>@</c> before the image's, <c>v&lt;…&gt;</c> for vectors, and the full name for the
/// framework's. So a name tells the assembly too.
/// </summary>
sealed class TypeNames(ImageTables tables) : ISignatureTypeProvider<string, object?>
{
    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode switch
    {
        PrimitiveTypeCode.Void => "void",
        PrimitiveTypeCode.Boolean => "bool",
        PrimitiveTypeCode.SByte => "sbyte",
        PrimitiveTypeCode.Byte => "byte",
        PrimitiveTypeCode.Int16 => "short",
        PrimitiveTypeCode.UInt16 => "ushort",
        PrimitiveTypeCode.Int32 => "int",
        PrimitiveTypeCode.UInt32 => "uint",
        PrimitiveTypeCode.Int64 => "long",
        PrimitiveTypeCode.UInt64 => "ulong",
        PrimitiveTypeCode.Single => "float",
        PrimitiveTypeCode.Double => "double",
        PrimitiveTypeCode.IntPtr => "nint",
        PrimitiveTypeCode.UIntPtr => "nuint",
        PrimitiveTypeCode.Object => "object",
        _ => "?",
    };

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        tables.NameOf(handle);

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
        genericType == "System.Runtime.Intrinsics.Vector128`1" && typeArguments.Length == 1
            ? $"v<{typeArguments[0]}>"
            : $"{genericType}<{string.Join(',', typeArguments)}>";

    public string GetSZArrayType(string elementType) => elementType + "[]";
    public string GetPointerType(string elementType) => elementType + "*";
    public string GetByReferenceType(string elementType) => elementType + "&";
    public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";
    public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

    // None of these has a place in the engine's images.
    public string GetArrayType(string elementType, ArrayShape shape) => "?";
    public string GetFunctionPointerType(MethodSignature<string> signature) => "?";
    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => "?";
    public string GetPinnedType(string elementType) => "?";
    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => "?";
    public string GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) => "?";
}
