using Millrace.Inference.Native;
using Millrace.Inference.PyTorch;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.PyTorch;

public sealed class PyTorchComplianceTests : BackendCompliance
{
    protected override INnBackend Backend { get; } = new PyTorchBackend();

    protected override BackendSample MakeSample() => BackendSample.OfCase("torchscript/multi_input_three", Backend);
}

public sealed class PyTorchConformanceTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Every_given_case_is_computed_or_refused_as_it_should_be()
    {
        var backend = new PyTorchBackend();
        // Where the packages were installed for this test, it must not be skipped.
        if (Requirements.Has("torch")) Assert.Null(backend.WhyAbsent);

        var run = ConformanceRun.Of("torchscript", backend, output);

        Assert.Empty(run.Failed);
        Assert.Empty(run.Refused);
    }
}

public sealed class PyTorchLibraryTests : IDisposable
{
    readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("millrace-torch-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Tells_that_libtorch_is_not_there_and_what_to_install()
    {
        var backend = new PyTorchBackend(new TorchLibrary(_root.FullName));

        var refusal = Assert.Throws<NnException>(() => backend.Load(new NnModel([new byte[] { 1 }])));

        Assert.Equal(backend.WhyAbsent, refusal.Message);
        if (OperatingSystem.IsLinux()) Assert.Contains("apt-get install libtorch-dev g++", backend.WhyAbsent, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Tells_that_the_compiler_is_not_there()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "libtorch is looked for on Linux");
        var library = Installed("0.0.1");

        Assert.Equal("0.0.1", library.Version);
        Assert.Contains("no compiler", library.WhyAbsent, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Tells_why_what_lies_between_does_not_compile()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "libtorch is looked for on Linux");
        var library = Installed("0.0.2");
        var compiler = Path.Combine(_root.CreateSubdirectory("usr/bin").FullName, "g++");
        File.WriteAllText(compiler, "#!/bin/sh\necho 'shim.cpp:1: error: no such thing' >&2\nexit 1\n");
        File.SetUnixFileMode(compiler, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.Null(library.WhyAbsent);
        var refusal = Assert.Throws<NnException>(library.Make);

        Assert.Contains("error: no such thing", refusal.Message, StringComparison.Ordinal);
    }

    TorchLibrary Installed(string version)
    {
        var folder = _root.CreateSubdirectory("usr/include/torch/csrc/api/include/torch");
        var parts = version.Split('.');
        File.WriteAllText(
            Path.Combine(folder.FullName, "version.h"),
            $"#define TORCH_VERSION_MAJOR {parts[0]}\n#define TORCH_VERSION_MINOR {parts[1]}\n#define TORCH_VERSION_PATCH {parts[2]}\n");
        return new(_root.FullName);
    }
}
