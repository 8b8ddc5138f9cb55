using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.Native;

/// <summary>A TorchScript module. Above this class there is no pointer.</summary>
sealed unsafe class TorchModel : SafeHandle
{
    // c10::ScalarType's numbers.
    static readonly (TensorType Type, int Number)[] Types =
    [
        (TensorType.U8, 0), (TensorType.I8, 1), (TensorType.I16, 2), (TensorType.I32, 3), (TensorType.I64, 4), (TensorType.F16, 5),
        (TensorType.F32, 6), (TensorType.F64, 7), (TensorType.Bool, 11), (TensorType.U16, 27), (TensorType.U32, 28), (TensorType.U64, 29),
    ];

    public TorchModel() : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Names of what <c>forward</c> takes.</summary>
    public ImmutableArray<string> Inputs { get; private set; } = [];

    /// <summary>How many of these must be there; the others have defaults.</summary>
    public int Required { get; private set; }

    /// <summary>How many tensors it gives, those of tuples one by one; null where that is known only when it has run.</summary>
    public int? Outputs { get; private set; }

    /// <summary>Loads a file's bytes, which are not needed afterwards.</summary>
    /// <exception cref="NnException">They are no TorchScript archive, or a damaged one.</exception>
    public static TorchModel Load(ReadOnlyMemory<byte> file)
    {
        var model = new TorchModel();
        fixed (byte* bytes = file.Span) model.SetHandle(Torch.Load(bytes, file.Length));
        if (model.IsInvalid) throw new NnException(NnErrno.InvalidEncoding, $"libtorch refuses the model: {Torch.Error}");
        var inputs = (int)Torch.Inputs(model.handle);
        var names = ImmutableArray.CreateBuilder<string>(inputs);
        for (var i = 0; i < inputs; i++) names.Add(Marshal.PtrToStringUTF8(Torch.InputName(model.handle, i)) ?? "");
        model.Inputs = names.MoveToImmutable();
        model.Required = (int)Torch.Required(model.handle);
        model.Outputs = (int)Torch.Outputs(model.handle) is >= 0 and var count ? count : null;
        return model;
    }

    /// <summary>Calls <c>forward</c>.</summary>
    /// <exception cref="NnException">The script, or libtorch, has an error; or something it gives is no tensor.</exception>
    /// <exception cref="ObjectDisposedException">The model is gone.</exception>
    public Tensor[] Run(ReadOnlySpan<Tensor> inputs)
    {
        var isHeld = false;
        var pins = new MemoryHandle[inputs.Length];
        nint results = 0;
        try
        {
            DangerousAddRef(ref isHeld);
            results = Call(inputs, pins);
            if (results == 0) throw new NnException(NnErrno.RuntimeError, $"libtorch failed: {Torch.Error}");
            var tensors = new Tensor[Torch.Count(results)];
            for (var i = 0; i < tensors.Length; i++) tensors[i] = Read(results, i);
            return tensors;
        }
        finally
        {
            if (results != 0) Torch.Free(results);
            foreach (var pin in pins) pin.Dispose();
            if (isHeld) DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        Torch.Unload(handle);
        return true;
    }

    nint Call(ReadOnlySpan<Tensor> inputs, MemoryHandle[] pins)
    {
        var (types, ranks, sizes) = (new int[inputs.Length], new int[inputs.Length], new List<long>());
        var pointers = new nint[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            types[i] = Number(inputs[i].Type);
            ranks[i] = inputs[i].Dimensions.Length;
            sizes.AddRange(inputs[i].Dimensions);
            // Nothing has no address, and libtorch wants one.
            pins[i] = (inputs[i].Data.IsEmpty ? new byte[1] : inputs[i].Data).Pin();
            pointers[i] = (nint)pins[i].Pointer;
        }

        fixed (int* type = types, rank = ranks)
        fixed (long* size = sizes.ToArray())
        fixed (nint* bytes = pointers) return Torch.Run(handle, inputs.Length, type, rank, size, (void**)bytes);
    }

    static Tensor Read(nint results, int index)
    {
        var number = Torch.Type(results, index);
        var at = Array.FindIndex(Types, type => type.Number == number);
        if (at < 0)
            throw new NnException(NnErrno.UnsupportedOperation, $"output {index} is of libtorch's type {number}, which no guest can take");
        var sizes = ImmutableArray.CreateBuilder<long>();
        for (var axis = 0; axis < Torch.Rank(results, index); axis++) sizes.Add(Torch.Size(results, index, axis));
        var length = (long)Tensor.Count(sizes.ToImmutable()) * Tensor.Bytes(Types[at].Type);
        if (length > Array.MaxLength) throw new NnException(NnErrno.TooLarge, $"output {index} of {length} bytes is too large");
        var bytes = new byte[length];
        fixed (byte* to = bytes)
        {
            if (length > 0) Torch.Copy(results, index, to, length);
        }

        return new(Types[at].Type, sizes.ToImmutable(), bytes);
    }

    static int Number(TensorType type) => Array.Find(Types, row => row.Type == type).Number;
}
