namespace Millrace.Nn;

/// <summary>
/// How a model is encoded: the numbers of WasmEdge's <c>wasi_ephemeral_nn</c>. The standard's WIT counts
/// otherwise from 5 on (ggml 5, autodetect 6).
/// </summary>
public enum NnEncoding
{
    /// <summary>OpenVINO IR: two builders, the XML and the weights.</summary>
    OpenVino = 0,
    /// <summary>ONNX: one builder.</summary>
    Onnx = 1,
    /// <summary>A frozen TensorFlow GraphDef: one builder.</summary>
    TensorFlow = 2,
    /// <summary>TorchScript: one builder.</summary>
    PyTorch = 3,
    /// <summary>A TensorFlow Lite flatbuffer: one builder.</summary>
    TensorFlowLite = 4,
    /// <summary>Chosen by the bytes.</summary>
    AutoDetect = 5,
    /// <summary>GGUF, run by llama.cpp.</summary>
    Ggml = 6,
    /// <summary>Gone from WasmEdge too.</summary>
    NeuralSpeed = 7,
    /// <summary>Burn; no backend here.</summary>
    Burn = 8,
    /// <summary>Whisper; no backend here.</summary>
    Whisper = 9,
    /// <summary>MLX; no backend here.</summary>
    Mlx = 10,
    /// <summary>Piper; no backend here.</summary>
    Piper = 11,
    /// <summary>ChatTTS; no backend here.</summary>
    ChatTts = 12,
    /// <summary>OpenVINO GenAI; no backend here.</summary>
    OpenVinoGenAi = 13,
    /// <summary>BitNet; no backend here.</summary>
    BitNet = 14,
    /// <summary>llama2.c checkpoints and plain GGUF, run by a guest of ours. Not one of WasmEdge's numbers.</summary>
    Llama2 = 100,
}

/// <summary>Where a model is to run: the numbers of <c>wasi_ephemeral_nn</c>.</summary>
public enum NnTarget
{
    /// <summary>The processor.</summary>
    Cpu = 0,
    /// <summary>A graphics card.</summary>
    Gpu = 1,
    /// <summary>A tensor unit.</summary>
    Tpu = 2,
    /// <summary>Chosen by the host.</summary>
    Auto = 3,
}

/// <summary>The errors of <c>wasi_ephemeral_nn</c>, WasmEdge's from 100 on among them.</summary>
public enum NnErrno
{
    /// <summary>No error.</summary>
    Success = 0,
    /// <summary>A pointer, handle, tensor or option is wrong.</summary>
    InvalidArgument = 1,
    /// <summary>No backend for the encoding, or the model or its options cannot be read.</summary>
    InvalidEncoding = 2,
    /// <summary>The guest exports no memory.</summary>
    MissingMemory = 3,
    /// <summary>The backend is in use.</summary>
    Busy = 4,
    /// <summary>The backend failed while it computed.</summary>
    RuntimeError = 5,
    /// <summary>The model uses an operation that the backend does not have, or the call is not for this backend.</summary>
    UnsupportedOperation = 6,
    /// <summary>A limit was exceeded.</summary>
    TooLarge = 7,
    /// <summary>No model has this name.</summary>
    NotFound = 8,
    /// <summary>The text ended with this token.</summary>
    EndOfSequence = 100,
    /// <summary>The context is full.</summary>
    ContextFull = 101,
    /// <summary>The prompt does not fit into the context.</summary>
    PromptTooLong = 102,
    /// <summary>The file of a registered model does not exist.</summary>
    ModelNotFound = 103,
}
