namespace Millrace.Inference.Tests.TensorFlowLite;

/// <summary>The smallest .tflite file: one operator from two reals to two reals.</summary>
static class FlatModel
{
    public static byte[] WithOperator(int code, int version) => FlatWriter.File(file => file.Table(
        (0, 3),
        (1, file.Tables(file.Table((2, version), (3, code)))),
        (2, file.Tables(file.Table(
            (0, file.Tables(Tensor(file, "x"), Tensor(file, "y"))),
            (1, file.Vector(0)),
            (2, file.Vector(1)),
            (3, file.Tables(file.Table((1, file.Vector(0)), (2, file.Vector(1)))))))),
        (4, file.Tables(file.Table()))));

    /// <summary>A subgraph of nothing but CALL_ONCE, and the one that it calls, a TANH.</summary>
    public static byte[] WithOnce() => FlatWriter.File(file => file.Table(
        (0, 3),
        (1, file.Tables(file.Table((2, 1), (3, 129)), file.Table((2, 1), (3, 28)))),
        (2, file.Tables(
            file.Table(
                (0, file.Tables()), (1, file.Vector()), (2, file.Vector()),
                (3, file.Tables(file.Table((0, 0), (1, file.Vector()), (2, file.Vector()), (3, 103), (4, file.Table((0, 1))))))),
            file.Table(
                (0, file.Tables(Tensor(file, "x"), Tensor(file, "y"))), (1, file.Vector()), (2, file.Vector()),
                (3, file.Tables(file.Table((0, 1), (1, file.Vector(0)), (2, file.Vector(1)))))))),
        (4, file.Tables(file.Table()))));

    static Func<int> Tensor(FlatWriter file, string name) => file.Table((0, file.Vector(2)), (3, file.Text(name)));
}
