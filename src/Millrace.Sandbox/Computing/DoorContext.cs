using System.Collections.Immutable;
using System.Text;
using Millrace.Nn;

namespace Millrace.Sandbox.Computing;

/// <summary>Inputs until they are sent, outputs until others come.</summary>
class DoorContext(DoorModels models, DoorGraph graph) : INnContext
{
    readonly SortedDictionary<int, Tensor> _inputs = [];
    ImmutableArray<Tensor> _outputs;
    long _held;

    protected DoorGraph Graph { get; } = graph;

    public virtual void SetInput(int index, Tensor tensor)
    {
        if (!Graph.IsText) TensorPort.CheckInput(Graph.Inputs, index, tensor);
        _inputs[index] = tensor;
    }

    public virtual void Compute(CancellationToken cancel) => ThrowUnlessDone(Compute(isSingle: false));

    public virtual Tensor GetOutput(int index) => TensorPort.Output(_outputs.IsDefault ? null : _outputs, index);

    public void Dispose() => Hold([]);

    protected NnAnswer Compute(bool isSingle)
    {
        Hold([]);
        var (head, body) = Graph.Compute(_inputs, isSingle);
        var outputs = ImmutableArray.CreateBuilder<Tensor>(head.Outputs.Length);
        foreach (var output in head.Outputs)
        {
            var shape = output.Shape!.Value;
            var bytes = Tensor.Count(shape) * Tensor.Bytes(output.Type!.Value);
            outputs.Add(new(output.Type.Value, shape, body[..bytes]));
            body = body[bytes..];
        }

        Hold(outputs.MoveToImmutable());
        return head;
    }

    protected static void ThrowUnlessDone(NnAnswer answer)
    {
        if (answer.Errno != NnErrno.Success) throw new NnException(answer.Errno, answer.Detail!);
    }

    void Hold(ImmutableArray<Tensor> outputs)
    {
        var bytes = outputs.Sum(output => (long)output.Data.Length);
        models.Hold(bytes, _held);
        _held = bytes;
        _outputs = outputs.IsEmpty ? default : outputs;
    }
}

/// <summary>
/// A text. Token by token it is computed as a whole when the first token is asked for: each token in the journal would be
/// a commit.
/// </summary>
sealed class DoorTextContext(DoorModels models, DoorGraph graph) : DoorContext(models, graph), INnTextContext
{
    // In: options. Out: counts.
    const int MetadataIndex = 1;

    NnAnswer? _answer;
    int _pieces;
    int _begin;
    int _end;

    public override void SetInput(int index, Tensor tensor)
    {
        if (index == MetadataIndex)
        {
            Graph.SetOptions(Encoding.UTF8.GetString(tensor.Data.Span));
            return;
        }

        FinishSingle();
        base.SetInput(0, tensor);
    }

    public override void Compute(CancellationToken cancel)
    {
        FinishSingle();
        base.Compute(cancel);
    }

    public override Tensor GetOutput(int index) => _answer is null || index == MetadataIndex
        ? base.GetOutput(index) : Bytes(0, _end);

    public void ComputeSingle(CancellationToken cancel)
    {
        _answer ??= Compute(isSingle: true);
        if (_pieces == _answer.Pieces.Length)
        {
            var ended = _answer;
            FinishSingle();
            ThrowUnlessDone(ended);
            return;
        }

        (_begin, _end) = (_end, _end + _answer.Pieces[_pieces++]);
    }

    public Tensor GetOutputSingle(int index) => index == MetadataIndex ? base.GetOutput(index) : Bytes(_begin, _end);

    public void FinishSingle() => (_answer, _pieces, _begin, _end) = (null, 0, 0, 0);

    Tensor Bytes(int begin, int end) => new(TensorType.U8, [end - begin], base.GetOutput(0).Data[begin..end]);
}
