using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Runtime.Objects;
using ModuleDefinition = Millrace.Wasm.Binary.ModuleDefinition;
using TypeDefinition = Millrace.Wasm.Binary.TypeDefinition;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// The classes of an image for the struct types that its code touches: below <see cref="GuestStruct"/>, the class of a
/// subtype below that of its supertype, with the fields that it adds. Another module has classes of its own for the
/// same types. Equal types give equal classes, whose fields are at equal places, so either's code reads the other's
/// objects; and guest code never asks for an object's class, only for its <see cref="GuestType"/>.
/// </summary>
sealed class StructClasses(ImageBuilder image, ModuleDefinition module, LinkedTypes types)
{
    const int HeaderBytes = 24; // the object's and its type

    static readonly ConstructorInfo Root = typeof(GuestStruct).GetConstructor(
        BindingFlags.Instance | BindingFlags.NonPublic, [typeof(Instance), typeof(int), typeof(int)])!;

    readonly Dictionary<int, StructClass> _classes = [];
    readonly List<StructClass> _inOrder = [];

    /// <summary>The name of a type's class: the first equal type's, so that it does not depend on the engine.</summary>
    public static string NameOf(LinkedTypes types, int typeIndex) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"S{types.FirstLike(typeIndex)}");

    /// <summary>The name of a field.</summary>
    public static string NameOfField(int field) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"f{field}");

    /// <summary>Whether there are any.</summary>
    public bool IsEmpty => _inOrder.Count == 0;

    /// <summary>The token of the constructor that takes the instance and the type's slot.</summary>
    public int Constructor(int typeIndex) => Of(typeIndex).Constructor;

    /// <summary>The token of a field.</summary>
    public int Field(int typeIndex, int field)
    {
        var owner = Of(typeIndex);
        while (field < owner.Inherited) owner = owner.Parent!;
        ref var token = ref owner.Fields[field - owner.Inherited];
        if (token == 0)
            token = image.OwnField(owner.Handle, NameOfField(field), Storage.OfField(owner.Type.Fields[field]));
        return token;
    }

    /// <summary>Adds the classes to the image, behind all its functions.</summary>
    public void Finish()
    {
        var il = new IlWriter();
        foreach (var one in _inOrder)
        {
            var fields = one.Type.Fields.Skip(one.Inherited).Select((field, i) =>
                (NameOfField(one.Inherited + i), Storage.OfField(field)));
            WriteConstructor(il, one.Type);
            image.AddClass(one.Name, one.Parent?.Handle ?? image.TypeHandle(typeof(GuestStruct)), fields, il);
        }
    }

    StructClass Of(int typeIndex)
    {
        var id = types.IdOf(typeIndex);
        if (_classes.TryGetValue(id, out var known)) return known;
        var type = module.Types[typeIndex];
        var parent = type.Supertypes is [var super, ..] ? Of(super) : null;
        var name = NameOf(types, typeIndex);
        var handle = image.OwnClass(name);
        var made = new StructClass(name, type, parent, handle, image.OwnConstructor(handle));
        _inOrder.Add(made);
        return _classes[id] = made;
    }

    // Straight to the root's: there is nothing to do between.
    void WriteConstructor(IlWriter il, TypeDefinition type)
    {
        var bytes = HeaderBytes + type.Fields.Sum(Storage.Bytes);
        il.Reset();
        for (var i = 0; i < 3; i++) il.LoadArgument(i);
        il.Constant((bytes + 7) & ~7);
        il.Call(image.Constructor(Root), 4, 0);
        il.Op(ILOpCode.Ret);
    }

    sealed record StructClass(
        string Name, TypeDefinition Type, StructClass? Parent, EntityHandle Handle, int Constructor)
    {
        /// <summary>Number of fields in the classes above.</summary>
        public int Inherited { get; } = Parent?.Type.Fields.Length ?? 0;

        /// <summary>Tokens of its own fields; 0 until asked for.</summary>
        public int[] Fields { get; } = new int[Type.Fields.Length - (Parent?.Type.Fields.Length ?? 0)];
    }
}
