using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.Tests.TensorFlowLite;

public sealed class OnceTests
{
    [Fact]
    public void A_subgraph_that_runs_once_runs_again_when_it_was_broken_off()
    {
        var plans = Plan.Make(new ModelReader(FlatModel.WithOnce()).Read());
        var runs = 0;
        plans[1] = plans[1] with
        {
            Steps = [plans[1].Steps[0] with { Kernel = _ => { if (++runs == 1) throw new OperationCanceledException(); } }],
        };
        var machine = new Machine(plans);

        Assert.Throws<OperationCanceledException>(() => machine.Compute(default));
        machine.Compute(default);
        machine.Compute(default);

        Assert.Equal(2, runs);
    }
}
