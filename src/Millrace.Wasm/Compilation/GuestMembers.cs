using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>The members of this assembly that emitted code uses, looked up once.</summary>
static class GuestMembers
{
    public static readonly FieldInfo StackLimit = Field(typeof(Instance), nameof(Instance.StackLimit));
    public static readonly FieldInfo InterruptRequest = Field(typeof(Instance), nameof(Instance.InterruptRequest));
    public static readonly FieldInfo FuelCell = Field(typeof(Instance), nameof(Instance.FuelCell));
    public static readonly FieldInfo MemoryBase = Field(typeof(Instance), nameof(Instance.MemoryBase));
    public static readonly FieldInfo UnknownZero = Field(typeof(Instance), nameof(Instance.UnknownZero));
    public static readonly FieldInfo Memory0 = Field(typeof(Instance), nameof(Instance.Memory0));
    public static readonly FieldInfo Memories = Field(typeof(Instance), nameof(Instance.Memories));
    public static readonly FieldInfo Table0 = Field(typeof(Instance), nameof(Instance.Table0));
    public static readonly FieldInfo Tables = Field(typeof(Instance), nameof(Instance.Tables));
    public static readonly FieldInfo Cells = Field(typeof(Instance), nameof(Instance.Cells));
    public static readonly FieldInfo Imports = Field(typeof(Instance), nameof(Instance.Imports));
    public static readonly FieldInfo Globals = Field(typeof(Instance), nameof(Instance.Globals));
    public static readonly FieldInfo Base = Field(typeof(Memory), nameof(Memory.Base));
    public static readonly FieldInfo Length = Field(typeof(Memory), nameof(Memory.Length));
    public static readonly FieldInfo TableElements = Field(typeof(Table), nameof(Table.Elements));
    public static readonly FieldInfo TableLength = Field(typeof(Table), nameof(Table.Length));
    public static readonly FieldInfo Reference = Field(typeof(Global), nameof(Global.Reference));
    public static readonly FieldInfo SignatureId = Field(typeof(Function), nameof(Function.SignatureId));
    public static readonly FieldInfo Code = Field(typeof(Function), nameof(Function.Code));
    public static readonly FieldInfo Context = Field(typeof(Function), nameof(Function.Context));

    public static readonly MethodInfo Trap = Method(typeof(Traps), nameof(Traps.Throw));
    public static readonly MethodInfo TrapAtSite = Method(typeof(Traps), nameof(Traps.ThrowAt));
    public static readonly MethodInfo TrapAtStackLimit = Method(typeof(Traps), nameof(Traps.StackLimit));
    public static readonly MethodInfo TrapNullElement = Method(typeof(Traps), nameof(Traps.NullElement));

    public static readonly MethodInfo FunctionHasType = Method(typeof(References), nameof(References.FunctionHasType));
    // Zeros that the JIT does not know: see Numbers.Hidden.
    public static readonly FieldInfo F32Zero = Field(typeof(GuestMath), nameof(GuestMath.F32Zero));
    public static readonly FieldInfo F64Zero = Field(typeof(GuestMath), nameof(GuestMath.F64Zero));

    public static readonly MethodInfo VectorZero = Method(typeof(Vector128<byte>), "get_Zero");

    // Once they have run, compiled code reads their fields without asking whether they have.
    static GuestMembers()
    {
        RuntimeHelpers.RunClassConstructor(typeof(GuestMath).TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(GuestVectors).TypeHandle);
    }

    public static MethodInfo Method(Type type, string name) =>
        type.GetMethod(name, BindingFlags.Static | BindingFlags.Public)
        ?? throw new MissingMethodException(type.Name, name);

    public static FieldInfo Field(Type type, string name) =>
        type.GetField(name, BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
        ?? throw new MissingFieldException(type.Name, name);
}
