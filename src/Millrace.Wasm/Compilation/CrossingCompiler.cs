using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Verification;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Compiles, per signature, the two methods between <see cref="Value"/>s and the guest's calling convention:
/// <c>R host(p…, Function self, out r…)</c> and <c>void guest(ref Value arguments, ref Value results, Function f)</c>.
/// </summary>
static class CrossingCompiler
{
    static readonly MethodInfo Begin = GuestMembers.Method(typeof(HostCalls), nameof(HostCalls.Begin));
    static readonly MethodInfo First = GuestMembers.Method(typeof(HostCalls), nameof(HostCalls.First));
    static readonly MethodInfo Invoke = GuestMembers.Method(typeof(HostCalls), nameof(HostCalls.Invoke));
    static readonly MethodInfo End = GuestMembers.Method(typeof(HostCalls), nameof(HostCalls.End));

    public static void Compile(ReadOnlySpan<Signature> signatures)
    {
        var image = new ImageBuilder(Guid.NewGuid());
        Compile(image, signatures.ToArray());
        var bytes = image.Finish();
        ImageVerifier.VerifyCrossings(bytes, signatures.ToArray().Select(signature => signature.Type));
        var code = new GuestImage(bytes);
        for (var i = 0; i < signatures.Length; i++) Use(code, 2 * i, signatures[i]);
    }

    /// <summary>Adds two methods for each signature to an image.</summary>
    public static void Compile(ImageBuilder image, IEnumerable<Signature> signatures)
    {
        var il = new IlWriter();
        foreach (var signature in signatures)
        {
            CompileHostEntry(image, il, signature.Type);
            CompileGuestEntry(image, il, signature.Type);
        }
    }

    /// <summary>Takes the two methods of an image from that index on for a signature's crossings.</summary>
    public static void Use(GuestImage code, int method, Signature signature) =>
        signature.Crossings = new(code.PointerTo(method), code.PointerTo(method + 1), code);

    static void CompileHostEntry(ImageBuilder image, IlWriter il, FunctionType type)
    {
        const int Values = 0;
        var self = type.Parameters.Length;
        il.Reset();
        il.LoadArgument(self);
        il.Call(image.Method(Begin), 1, 1);
        il.StoreLocal(Values);
        for (var i = 0; i < type.Parameters.Length; i++)
        {
            LoadFirst();
            il.Constant(i);
            il.LoadArgument(i);
            Write(image, il, type.Parameters[i]);
        }
        il.LoadArgument(self);
        il.LoadLocal(Values);
        il.Call(image.Method(Invoke), 2, 0);
        for (var i = 1; i < type.Results.Length; i++)
        {
            il.LoadArgument(self + i);
            LoadFirst();
            il.Constant(type.Parameters.Length + i);
            Read(image, il, type.Results[i]);
            CilTypes.Of(type.Results[i]).StoreIndirect(il, image);
        }
        if (!type.Results.IsEmpty)
        {
            LoadFirst();
            il.Constant(type.Parameters.Length);
            Read(image, il, type.Results[0]);
        }
        il.LoadArgument(self);
        il.LoadLocal(Values);
        il.Call(image.Method(End), 2, 0);
        il.Op(ILOpCode.Ret);
        image.AddMethod("host", image.Signature(type, typeof(Function)), il, [typeof(Value[])]);

        void LoadFirst()
        {
            il.LoadLocal(Values);
            il.Call(image.Method(First), 1, 1);
        }
    }

    static void CompileGuestEntry(ImageBuilder image, IlWriter il, FunctionType type)
    {
        const int Results = 1, Callee = 2;
        il.Reset();
        for (var i = 0; i < type.Parameters.Length; i++)
        {
            il.LoadArgument(0);
            il.Constant(i);
            Read(image, il, type.Parameters[i]);
        }
        il.LoadArgument(Callee);
        il.LoadField(image.Field(GuestMembers.Context));
        for (var i = 1; i < type.Results.Length; i++) il.LoadLocalAddress(i);
        il.LoadArgument(Callee);
        il.LoadField(image.Field(GuestMembers.Code));
        var pops = type.Parameters.Length + 2 + Math.Max(0, type.Results.Length - 1);
        il.CallIndirect(image.CallSite(type), pops, type.Results.IsEmpty ? 0 : 1);
        if (!type.Results.IsEmpty) il.StoreLocal(0);
        for (var i = 0; i < type.Results.Length; i++)
        {
            il.LoadArgument(Results);
            il.Constant(i);
            il.LoadLocal(i);
            Write(image, il, type.Results[i]);
        }
        il.Op(ILOpCode.Ret);
        var signature = image.Signature(
            typeof(void), typeof(Value).MakeByRefType(), typeof(Value).MakeByRefType(), typeof(Function));
        image.AddMethod("guest", signature, il, [.. type.Results.Select(result => CilTypes.Of(result).ToClr())]);
    }

    /// <summary>Reads a value: a reference to the first of several, and an index, are on the stack.</summary>
    public static void Read(ImageBuilder image, IlWriter il, ValueType type) =>
        il.Call(image.Method(GuestMembers.Method(typeof(HostCalls), $"Read{CilTypes.Of(type)}")), 2, 1);

    /// <summary>Writes a value: a reference to the first, an index, and the value are on the stack.</summary>
    public static void Write(ImageBuilder image, IlWriter il, ValueType type) =>
        il.Call(image.Method(GuestMembers.Method(typeof(HostCalls), $"Write{CilTypes.Of(type)}")), 3, 0);
}
