using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Inference.Tests.Worker;

public sealed class LlamaBuildTests : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("millrace-build-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [SkippableFact]
    public void Without_hardware_the_build_is_the_cpus_and_says_why()
    {
        Skip.If(NativeLibraries.IsMetal, "Apple's processors have a GPU");

        var build = LlamaBuild.OfHardware(new(_root), static _ => "never asked", LlamaBuild.NoFailures);

        Assert.Equal((LlamaBuild.Cpu, "no GPU was found"), (build.Name, build.Why));
    }

    [SkippableTheory]
    [InlineData("vulkan", "dev/dri/renderD128", "usr/lib/x86_64-linux-gnu/libvulkan.so.1")]
    [InlineData("vulkan", "dev/nvidiactl", "opt/driver/libvulkan.so.1")]
    [InlineData("cuda", "dev/nvidiactl", "usr/lib64/libcuda.so.1", "opt/driver/libcublas.so.13")]
    public void A_device_and_its_libraries_choose_their_build_once_it_is_fetched(string name, string device, params string[] libraries)
    {
        NeedsLinuxOnX64();
        Touch(device);
        Assert.Equal(LlamaBuild.Cpu, Choose(static _ => "/there").Name);
        foreach (var library in libraries) Touch(library);

        var unfetched = Choose(static _ => null);
        var fetched = Choose(static _ => "/there");

        Assert.Equal(LlamaBuild.Cpu, unfetched.Name);
        Assert.Contains($"`millrace models engine {name}` fetches it", unfetched.Why, StringComparison.Ordinal);
        Assert.Equal((name, "/there"), (fetched.Name, fetched.Folder));
    }

    [SkippableFact]
    public void A_library_that_the_loaders_cache_names_is_there()
    {
        NeedsLinuxOnX64();
        Touch("dev/dri/renderD128");
        Touch("etc/ld.so.cache", "\0libvulkan.so.1.3\0/nowhere\0");
        Assert.Equal("no GPU was found", Choose(static _ => "/there").Why);

        Touch("etc/ld.so.cache", "\0libvulkan.so.1\0/opt/libvulkan.so.1\0");

        Assert.Equal("vulkan", Choose(static _ => "/there").Name);
    }

    [SkippableFact]
    public void A_build_that_failed_is_passed_over_for_the_next_best()
    {
        NeedsLinuxOnX64();
        foreach (var file in (string[])["dev/nvidiactl", "lib/libcuda.so.1", "lib/libcublas.so.13", "lib/libvulkan.so.1"]) Touch(file);
        var failures = new Dictionary<string, string>();

        var first = Choose(static name => $"/{name}", failures);
        failures["cuda"] = "its worker died";
        var second = Choose(static name => $"/{name}", failures);
        failures["vulkan"] = "it finds no device";
        var last = Choose(static name => $"/{name}", failures);

        Assert.Equal(("cuda", "/cuda", "an NVIDIA GPU with CUDA's libraries is there"), (first.Name, first.Folder, first.Why));
        Assert.Equal(("vulkan", "/vulkan", "a GPU with Vulkan is there; its worker died"), (second.Name, second.Folder, second.Why));
        Assert.Equal((LlamaBuild.Cpu, "its worker died; it finds no device"), (last.Name, last.Why));
    }

    [Fact]
    public void A_name_that_no_build_has_is_said_and_the_cpu_computes()
    {
        var build = LlamaBuild.Choose("opencl", LlamaBuild.NoFailures);

        Assert.Equal(LlamaBuild.Cpu, build.Name);
        Assert.Contains("MILLRACE_LLAMA_BUILD is opencl", build.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_build_that_is_not_offered_cannot_be_fetched()
    {
        var refusal = await Assert.ThrowsAsync<InferenceException>(() => LlamaBuild.FetchAsync("opencl", default));

        Assert.Contains("cuda and vulkan can be fetched", refusal.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_build_with_a_broken_library_is_passed_over_for_the_cpus_and_says_so()
    {
        var tiny = LocalWorker.Tiny;
        foreach (var file in Directory.EnumerateFiles(NativeLibraries.LlamaFolder()!))
            File.WriteAllText(Path.Combine(_root, Path.GetFileName(file)), "no library");
        await using var worker = new LocalWorker(new(LocalWorker.Command) { LlamaBuild = _root });

        var reply = await worker.Client.ChatAsync(Ask(tiny), worker.Timeout);
        var engine = await worker.Client.EngineAsync(worker.Timeout);

        Assert.Equal("The capital of France is Paris.", reply.Content);
        Assert.StartsWith("cpu (llama.cpp ", engine, StringComparison.Ordinal);
        Assert.Contains($"): the {_root} build cannot be used: ", engine, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_a_build_died_of_without_a_word_is_asked_of_the_next_one()
    {
        var tiny = LocalWorker.Tiny;
        Skip.IfNot(OperatingSystem.IsLinux(), "only Linux has the pipe that holds the first worker up");
        // To read its model the worker waits for somebody who writes it: it dies with the request, and before any word.
        var model = Path.Combine(_root, "model.gguf");
        using (var mkfifo = Process.Start("mkfifo", [model])) await mkfifo.WaitForExitAsync();
        await using var worker = new LocalWorker(new(LocalWorker.Command) { LlamaBuild = NativeLibraries.LlamaFolder() });

        var asked = worker.Client.ChatAsync(Ask(model), worker.Timeout);
        while (worker.Client.WorkerId is null) await Task.Delay(20, worker.Timeout);
        File.Delete(model);
        File.Copy(tiny, model);
        using (var first = Process.GetProcessById(worker.Client.WorkerId.Value)) first.Kill();
        var reply = await asked;
        var engine = await worker.Client.EngineAsync(worker.Timeout);

        Assert.Equal("The capital of France is Paris.", reply.Content);
        Assert.StartsWith("cpu (llama.cpp ", engine, StringComparison.Ordinal);
        Assert.Contains("build died before it wrote anything", engine, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_vulkan_build_answers_on_its_device_and_is_left_once_it_dies_without_a_word()
    {
        await using var worker = await VulkanAsync(device: "0");

        var reply = await worker.Client.ChatAsync(Ask(LocalWorker.Tiny), worker.Timeout);
        var engine = await worker.Client.EngineAsync(worker.Timeout);
        await KillAsync(worker);
        var engineAfterAnswer = await worker.Client.EngineAsync(worker.Timeout);
        await KillAsync(worker);
        var engineAfterSilence = await worker.Client.EngineAsync(worker.Timeout);
        var replyOfCpu = await worker.Client.ChatAsync(Ask(LocalWorker.Tiny), worker.Timeout);

        Assert.Equal("The capital of France is Paris.", reply.Content);
        Assert.Matches(@"^vulkan \(llama.cpp 0\.\d.*\) on .+: MILLRACE_LLAMA_BUILD says so$", engine);
        Assert.Equal(engine, engineAfterAnswer);
        Assert.Matches(
            @"^cpu \(llama.cpp 0\.\d.*\): a worker with the vulkan build died before it wrote anything$", engineAfterSilence);
        Assert.Equal("The capital of France is Paris.", replyOfCpu.Content);
    }

    [SkippableFact]
    public async Task Without_the_device_that_was_named_the_vulkan_build_is_passed_over_for_the_cpus()
    {
        await using var worker = await VulkanAsync(device: "99");

        var reply = await worker.Client.ChatAsync(Ask(LocalWorker.Tiny), worker.Timeout);
        var engine = await worker.Client.EngineAsync(worker.Timeout);

        Assert.Equal("The capital of France is Paris.", reply.Content);
        Assert.Matches(@"^cpu \(llama.cpp 0\.\d.*\): the vulkan build cannot be used: .+$", engine);
    }

    static async Task<LocalWorker> VulkanAsync(string device)
    {
        LocalWorker.NeedsLibrary();
        if (!Requirements.Has("vulkan"))
        {
            NeedsLinuxOnX64();
            Skip.If(VulkanDrivers().Length == 0, "there is no Vulkan driver: apt-get install mesa-vulkan-drivers libvulkan1");
        }

        await LlamaBuild.FetchAsync("vulkan", default);
        // Drivers in software are left out unless they are named.
        return new(new(["env", $"GGML_VK_VISIBLE_DEVICES={device}", .. LocalWorker.Command])
        {
            LlamaBuild = "vulkan",
            SilenceMax = TimeSpan.FromMinutes(10),
        });
    }

    static string[] VulkanDrivers() => !NativeLibrary.TryLoad("libvulkan.so.1", out _) ? []
        : [.. new[] { "/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d" }.Where(Directory.Exists).SelectMany(Directory.GetFiles)];

    static async Task KillAsync(LocalWorker worker)
    {
        using var process = Process.GetProcessById(worker.Client.WorkerId!.Value);
        process.Kill();
        await process.WaitForExitAsync(worker.Timeout);
        // The host hears of it a moment later.
        while (worker.Client.WorkerId is not null) await Task.Delay(10, worker.Timeout);
    }

    static void NeedsLinuxOnX64() => Skip.IfNot(
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
        "the files are Linux's, and the builds x64's");

    LlamaBuild Choose(Func<string, string?> folderOf, Dictionary<string, string>? failures = null) =>
        LlamaBuild.OfHardware(new(_root, $"{_root}/opt/driver"), folderOf, failures ?? []);

    static ChatJob Ask(string model) =>
        new(model, [new("user", "What is the capital of France?")], 48, new(0, 1, 1), []);

    void Touch(string file, string text = "")
    {
        var path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
