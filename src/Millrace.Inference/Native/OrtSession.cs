using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.Native;

/// <summary><c>OrtSession *</c>: a loaded model. Runs at once on several threads do not disturb each other.</summary>
sealed unsafe class OrtSession : SafeHandle
{
    nint[] _inputNames = [];
    nint[] _outputNames = [];

    public OrtSession() : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Inputs as the engine sees them, in their order.</summary>
    public ImmutableArray<OnnxPort> Inputs { get; private set; }

    /// <summary>Outputs likewise.</summary>
    public ImmutableArray<OnnxPort> Outputs { get; private set; }

    /// <summary>Loads a model. The bytes are not needed afterwards.</summary>
    /// <exception cref="OrtException">The engine refuses it.</exception>
    public static OrtSession Load(ReadOnlyMemory<byte> model, int threads)
    {
        Ort.Load();
        var session = new OrtSession();
        nint options;
        Ort.Check(Ort.CreateSessionOptions(&options));
        try
        {
            Ort.Check(Ort.SetIntraOpNumThreads(options, threads));
            Ort.Check(Ort.SetInterOpNumThreads(options, 1));
            fixed (byte* bytes = model.Span)
            {
                nint made;
                Ort.Check(Ort.CreateSessionFromArray(bytes, (nuint)model.Length, options, &made));
                session.SetHandle(made);
            }

            (session.Inputs, session._inputNames) = session.Ports(isOutput: false);
            (session.Outputs, session._outputNames) = session.Ports(isOutput: true);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
        finally
        {
            Ort.ReleaseSessionOptions(options);
        }
    }

    /// <summary>Computes all outputs of all inputs, in the order of the ports.</summary>
    /// <exception cref="OrtException">The engine failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The session is gone.</exception>
    public Tensor[] Run(IReadOnlyList<Tensor> inputs, CancellationToken cancel)
    {
        var isHeld = false;
        var values = new nint[inputs.Count];
        var results = new nint[_outputNames.Length];
        var pins = new MemoryHandle[inputs.Count];
        nint options = 0;
        try
        {
            DangerousAddRef(ref isHeld);
            cancel.ThrowIfCancellationRequested();
            Ort.Check(Ort.CreateRunOptions(&options));
            for (var i = 0; i < values.Length; i++) values[i] = Value(inputs[i], ref pins[i]);
            Run(options, values, results, cancel);
            var tensors = new Tensor[results.Length];
            for (var i = 0; i < tensors.Length; i++) tensors[i] = Read(results[i]);
            return tensors;
        }
        finally
        {
            foreach (var value in values.Concat(results).Where(value => value != 0)) Ort.ReleaseValue(value);
            foreach (var pin in pins) pin.Dispose();
            if (options != 0) Ort.ReleaseRunOptions(options);
            if (isHeld) DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        foreach (var name in _inputNames.Concat(_outputNames)) Ort.Free(name);
        Ort.ReleaseSession(handle);
        return true;
    }

    void Run(nint options, nint[] values, nint[] results, CancellationToken cancel)
    {
        // Unregistering waits for a callback that runs, so the options outlive it.
        using var _ = cancel.UnsafeRegister(static state => Ort.RunOptionsSetTerminate((nint)state!), options);
        fixed (nint* inputNames = _inputNames, inputs = values, outputNames = _outputNames, outputs = results)
        {
            var status = Ort.Run(
                handle, options, inputNames, inputs, (nuint)values.Length, outputNames, (nuint)results.Length, outputs);
            try
            {
                Ort.Check(status);
            }
            catch (OrtException) when (cancel.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancel);
            }
        }
    }

    // The engine reads the tensor where it lies.
    static nint Value(Tensor tensor, ref MemoryHandle pin)
    {
        // Nothing has no address, and the engine wants one.
        pin = (tensor.Data.IsEmpty ? new byte[1] : tensor.Data).Pin();
        nint value;
        fixed (long* sizes = tensor.Dimensions.AsSpan())
        {
            Ort.Check(Ort.CreateTensorWithData(
                pin.Pointer, (nuint)tensor.Data.Length, sizes, (nuint)tensor.Dimensions.Length, (int)tensor.Type.ToOnnx(), &value));
        }

        return value;
    }

    static Tensor Read(nint value)
    {
        int isTensor;
        Ort.Check(Ort.IsTensor(value, &isTensor));
        if (isTensor == 0) throw new OrtException(Ort.OrtNotImplemented, "an output is not a tensor");
        nint shape;
        Ort.Check(Ort.GetTensorTypeAndShape(value, &shape));
        try
        {
            var (onnx, sizes) = TypeAndSizes(shape);
            var type = onnx.ToTensorType() ?? throw new OrtException(Ort.OrtNotImplemented, $"an output is of type {onnx}");
            var length = (long)Tensor.Count(sizes) * Tensor.Bytes(type);
            if (length > Array.MaxLength) throw new NnException(NnErrno.TooLarge, $"an output of {length} bytes is too large");
            var bytes = new byte[length];
            if (bytes.Length > 0)
            {
                void* from;
                Ort.Check(Ort.GetTensorMutableData(value, &from));
                new ReadOnlySpan<byte>(from, bytes.Length).CopyTo(bytes);
            }

            return new(type, sizes, bytes);
        }
        finally
        {
            Ort.ReleaseTensorTypeAndShapeInfo(shape);
        }
    }

    (ImmutableArray<OnnxPort> Ports, nint[] Names) Ports(bool isOutput)
    {
        nuint count;
        Ort.Check(Ort.SessionGetCount(handle, isOutput, &count));
        var ports = ImmutableArray.CreateBuilder<OnnxPort>((int)count);
        var names = new nint[(int)count];
        for (nuint i = 0; i < count; i++)
        {
            nint name, type;
            Ort.Check(Ort.SessionGetName(handle, isOutput, i, &name));
            names[(int)i] = name;
            Ort.Check(Ort.SessionGetTypeInfo(handle, isOutput, i, &type));
            try
            {
                ports.Add(Port(Marshal.PtrToStringUTF8(name)!, type));
            }
            finally
            {
                Ort.ReleaseTypeInfo(type);
            }
        }

        return (ports.MoveToImmutable(), names);
    }

    static OnnxPort Port(string name, nint info)
    {
        int kind;
        nint tensor;
        Ort.Check(Ort.GetOnnxTypeFromTypeInfo(info, &kind));
        Ort.Check(Ort.CastTypeInfoToTensorInfo(info, &tensor));
        if (kind != Ort.OnnxTypeTensor || tensor == 0) return new(name, "no tensor", default, default);
        var (type, sizes) = TypeAndSizes(tensor);
        return new(name, null, type, sizes);
    }

    static (OnnxType Type, ImmutableArray<long> Sizes) TypeAndSizes(nint info)
    {
        int type;
        nuint rank;
        Ort.Check(Ort.GetTensorElementType(info, &type));
        Ort.Check(Ort.GetDimensionsCount(info, &rank));
        var sizes = new long[(int)rank];
        fixed (long* first = sizes) Ort.Check(Ort.GetDimensions(info, first, rank));
        return ((OnnxType)type, [.. sizes]);
    }
}
