using Millrace.Inference.Tests.Backends;
using Millrace.Inference.Tests.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Proxy;

/// <summary>A backend in the worker's process is a backend as any other.</summary>
public sealed class ProxyComplianceTests(ProxyComplianceTests.Worker worker) : BackendCompliance, IClassFixture<ProxyComplianceTests.Worker>
{
    protected override INnBackend Backend { get; } =
        NnBackends.InWorker(worker.Client).First(backend => backend.Encoding == NnEncoding.Onnx);

    protected override BackendSample MakeSample() => OnnxComplianceTests.Sample();

    /// <summary>One for all tests.</summary>
    public sealed class Worker : IAsyncLifetime
    {
        public InferenceClient Client { get; } = new(new(ProxyTests.Command));

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync() => await Client.DisposeAsync();
    }
}
