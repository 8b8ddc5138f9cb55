using System.Reflection.Metadata;
using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Tests.Compilation;

public sealed class IlWriterTests
{
    [Fact]
    public void A_method_has_no_more_bytes_than_the_limit()
    {
        var il = new IlWriter();
        for (var i = 0; i < IlWriter.LengthMax; i++) il.Op(ILOpCode.Nop);

        Assert.Throws<UnsupportedFeatureException>(() => il.Op(ILOpCode.Nop));

        Assert.Equal(IlWriter.LengthMax, il.Length);
    }
}
