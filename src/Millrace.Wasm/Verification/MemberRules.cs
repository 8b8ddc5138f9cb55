using System.Collections.Frozen;

namespace Millrace.Wasm.Verification;

/// <summary>
/// The members that code may refer to, by type, name and signature; there are no others. Written by hand: what is
/// missing here cannot be reached from guest code, whatever the compiler emits.
/// </summary>
static class MemberRules
{
    /// <summary>Fields.</summary>
    public static readonly FrozenDictionary<string, (MemberRole Role, string Type)> Fields =
        new Dictionary<string, (MemberRole, string)>
        {
            ["~Instance::StackLimit"] = (MemberRole.StackLimit, "nuint"),
            ["~Instance::InterruptRequest"] = (MemberRole.InterruptRequest, "int"),
            ["~Instance::FuelCell"] = (MemberRole.FuelCell, "long*"),
            ["~Instance::MemoryBase"] = (MemberRole.MemoryBase, "byte*"),
            ["~Instance::UnknownZero"] = (MemberRole.UnknownZero, "long"),
            ["~Instance::Memory0"] = (MemberRole.Memory0, "~Memory"),
            ["~Instance::Table0"] = (MemberRole.Table0, "~Table"),
            ["~Instance::Cells"] = (MemberRole.Cells, "byte*"),
            ["~Instance::Imports"] = (MemberRole.Imports, "~Function[]"),
            ["~Instance::Tables"] = (MemberRole.Tables, "~Table[]"),
            ["~Instance::Memories"] = (MemberRole.Memories, "~Memory[]"),
            ["~Instance::Globals"] = (MemberRole.Globals, "~Global[]"),
            ["~Memory::Base"] = (MemberRole.BaseOfMemory, "byte*"),
            ["~Memory::Length"] = (MemberRole.LengthOfMemory, "long"),
            ["~Table::Elements"] = (MemberRole.Elements, "object[]"),
            ["~Table::Length"] = (MemberRole.LengthOfTable, "int"),
            ["~Global::Reference"] = (MemberRole.ReferenceOfGlobal, "object"),
            ["~Function::SignatureId"] = (MemberRole.SignatureNumber, "int"),
            ["~Function::Code"] = (MemberRole.Code, "nint"),
            ["~Function::Context"] = (MemberRole.ContextOfFunction, "object"),
            ["~Runtime.Objects.GuestArray::Length"] = (MemberRole.LengthOfArray, "int"),
            ["~Runtime.Objects.GuestI31::Number"] = (MemberRole.NumberOfI31, "int"),
            ["~Runtime.Objects.ReferenceSlot::Value"] = (MemberRole.SlotValue, "object"),
        }.ToFrozenDictionary();

    /// <summary>Types whose static fields that hold a number may be read.</summary>
    public static readonly FrozenSet<string> HiddenNumbers =
        FrozenSet.ToFrozenSet(["~Runtime.GuestMath", "~Runtime.GuestVectors"]);

    /// <summary>
    /// Types of whose static methods any may be called that takes numbers and vectors alone and gives one: without an
    /// address or an object they reach nothing.
    /// </summary>
    public static readonly FrozenSet<string> PureTypes = FrozenSet.ToFrozenSet(
    [
        "~Runtime.GuestMath", "~Runtime.GuestVectors", "~Runtime.GuestShuffles",
        "System.Runtime.Intrinsics.Vector128", "System.Runtime.Intrinsics.X86.Sse",
        "System.Runtime.Intrinsics.X86.Sse2", "System.Runtime.Intrinsics.X86.Sse41",
    ]);

    /// <summary>Other methods: parameters and result as <c>int,long:void</c>; <c>T</c> for an element.</summary>
    public static readonly FrozenDictionary<string, (MemberRole Role, string Signature, int Detail)> Methods =
        Runtime().Concat(Objects()).Concat(Atomics()).Concat(Values()).ToFrozenDictionary(
            row => row.Name, row => (row.Role, row.Signature, row.Detail));

    static (string Name, MemberRole Role, string Signature, int Detail)[] Runtime() =>
    [
        ("~Runtime.Traps::Throw", MemberRole.Trap, "int:void", 0),
        ("~Runtime.Traps::ThrowAt", MemberRole.TrapAtSite, "int,int:void", 0),
        ("~Runtime.Traps::StackLimit", MemberRole.TrapAtStackLimit, "~Instance:void", 0),
        ("~Runtime.Traps::NullElement", MemberRole.Checked, "~Instance,int,int:void", 0),
        ("~Runtime.GuestMemory::Grow", MemberRole.GrowMemory, "~Instance,int,long:long", 0),
        ("~Runtime.GuestMemory::Fill", MemberRole.Checked, "~Instance,int,long,int,long:void", 0),
        ("~Runtime.GuestMemory::Copy", MemberRole.Checked, "~Instance,int,int,long,long,long:void", 0),
        ("~Runtime.GuestMemory::Init", MemberRole.Checked, "~Instance,int,int,long,int,int:void", 0),
        ("~Runtime.GuestMemory::DropData", MemberRole.Checked, "~Instance,int:void", 0),
        ("~Runtime.GuestTables::Get", MemberRole.TableGet, "~Instance,int,long:object", 0),
        ("~Runtime.GuestTables::Set", MemberRole.TableSet, "~Instance,int,long,object:void", 0),
        ("~Runtime.GuestTables::Size", MemberRole.Checked, "~Instance,int:int", 0),
        ("~Runtime.GuestTables::Grow", MemberRole.TableGrow, "~Instance,int,object,long:int", 0),
        ("~Runtime.GuestTables::Fill", MemberRole.TableFill, "~Instance,int,long,object,long:void", 0),
        ("~Runtime.GuestTables::Copy", MemberRole.TableCopy, "~Instance,int,int,long,long,long:void", 0),
        ("~Runtime.GuestTables::Init", MemberRole.TableInit, "~Instance,int,int,long,int,int:void", 0),
        ("~Runtime.GuestTables::DropElements", MemberRole.Checked, "~Instance,int:void", 0),
        ("~Runtime.GuestTables::FunctionReference", MemberRole.FunctionReference, "~Instance,int:object", 0),
        ("~Runtime.References::FunctionHasType", MemberRole.FunctionHasType, "~Function,int,int:bool", 0),
        ("~Runtime.GuestExceptions::Make", MemberRole.MakeException, "~Instance,int:object", 0),
        ("~Runtime.GuestExceptions::First", MemberRole.FirstOfException, "object:~Value&", 0),
        ("~Runtime.GuestExceptions::Throw", MemberRole.ThrowException, "object:void", 0),
        ("~Runtime.GuestExceptions::IsAny", MemberRole.IsAny, "object,~Instance:int", 0),
        ("~Runtime.GuestExceptions::IsThrown", MemberRole.IsThrown, "object,~Instance,int:int", 0),
        ("~Runtime.GuestExceptions::Content", MemberRole.Content, "object:object", 0),
        ("~Runtime.GuestExceptions::HasTag", MemberRole.HasTag, "object,~Instance,int:int", 0),
    ];

    static IEnumerable<(string Name, MemberRole Role, string Signature, int Detail)> Objects()
    {
        const string Arrays = "~Runtime.Objects.GuestArrays::";
        const string Casts = "~Runtime.Objects.Casts::";
        const string Cast = "object,long:bool";
        return
        [
            (Arrays + "New", MemberRole.ArrayNew, "~Instance,int,T,int:object", 0),
            (Arrays + "NewOfReferences", MemberRole.ArrayNewOfReferences, "~Instance,int,object,int:object", 0),
            (Arrays + "NewDefault", MemberRole.ArrayNewDefault, "~Instance,int,int:object", 0),
            (Arrays + "NewFromData", MemberRole.ArrayNewFromData, "~Instance,int,int,int,int:object", 0),
            (Arrays + "NewFromElements", MemberRole.ArrayNewFromElements, "~Instance,int,int,int,int:object", 0),
            (Arrays + "Fill", MemberRole.ArrayFill, "object,int,T,int:void", 0),
            (Arrays + "FillWithReference", MemberRole.ArrayFillWithReference, "object,int,object,int:void", 0),
            (Arrays + "Copy", MemberRole.ArrayCopy, "object,int,object,int,int:void", 0),
            (Arrays + "InitData", MemberRole.ArrayInitData, "~Instance,int,object,int,int,int:void", 0),
            (Arrays + "InitElements", MemberRole.ArrayInitElements, "~Instance,int,object,int,int,int:void", 0),
            ("~Runtime.Objects.GuestI31::New", MemberRole.NewI31, "~Instance,int:object", 0),
            (Casts + "IsExact", MemberRole.Cast, Cast, (int)CastKind.ToType),
            (Casts + "IsOf", MemberRole.Cast, Cast, (int)CastKind.ToType),
            (Casts + "IsKnownExact", MemberRole.Cast, Cast, (int)CastKind.KnownToType),
            (Casts + "IsKnownOf", MemberRole.Cast, Cast, (int)CastKind.KnownToType),
            (Casts + "IsFunction", MemberRole.Cast, Cast, (int)CastKind.FunctionToType),
            (Casts + "IsKind", MemberRole.Cast, Cast, (int)CastKind.ToKind),
            (Casts + "IsKnownKind", MemberRole.Cast, Cast, (int)CastKind.KnownToKind),
            (Casts + "IsObject", MemberRole.Cast, Cast, (int)CastKind.ToObject),
            (Casts + "IsSame", MemberRole.IsSame, "object,object:bool", 0),
        ];
    }

    static IEnumerable<(string Name, MemberRole Role, string Signature, int Detail)> Atomics()
    {
        const string Type = "~Runtime.GuestAtomics::";
        yield return (Type + "Fence", MemberRole.Checked, ":void", 0);
        yield return (Type + "Notify", MemberRole.Checked, "~Instance,int,long,long,int:int", 0);
        yield return (Type + "Wait32", MemberRole.Checked, "~Instance,int,long,long,int,long:int", 0);
        yield return (Type + "Wait64", MemberRole.Checked, "~Instance,int,long,long,long,long:int", 0);
        foreach (var bytes in (int[])[1, 2, 4, 8])
        {
            var value = bytes == 8 ? "long" : "int";
            yield return ($"{Type}Load{bytes * 8}", MemberRole.Atomic, $"nint:{value}", bytes);
            yield return ($"{Type}Compare{bytes * 8}", MemberRole.Atomic, $"nint,{value},{value}:{value}", bytes);
            foreach (var update in (string[])["Exchange", "Add", "And", "Or", "Xor"])
                yield return ($"{Type}{update}{bytes * 8}", MemberRole.Atomic, $"nint,{value}:{value}", bytes);
        }
    }

    static IEnumerable<(string Name, MemberRole Role, string Signature, int Detail)> Values()
    {
        const string Type = "~Runtime.HostCalls::";
        yield return (Type + "Begin", MemberRole.BeginHostCall, "~Function:~Value[]", 0);
        yield return (Type + "First", MemberRole.FirstOfValues, "~Value[]:~Value&", 0);
        yield return (Type + "Invoke", MemberRole.InvokeHost, "~Function,~Value[]:void", 0);
        yield return (Type + "End", MemberRole.EndHostCall, "~Function,~Value[]:void", 0);
        foreach (var (name, type) in ((string, string)[])
            [("I32", "int"), ("I64", "long"), ("F32", "float"), ("F64", "double"), ("V128", "v<byte>"),
            ("Object", "object")])
        {
            yield return ($"{Type}Read{name}", MemberRole.ReadValue, $"~Value&,int:{type}", 0);
            yield return ($"{Type}Write{name}", MemberRole.WriteValue, $"~Value&,int,{type}:void", 0);
        }
    }
}
