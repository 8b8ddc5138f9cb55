using System.Text;
using Millrace.Inference.OpenVino;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

public sealed class IrReaderTests
{
    [Theory]
    [InlineData("version=\"11\"", "version=\"7\"", "version 7")]
    [InlineData("type=\"Add\"", "type=\"Frobnicate\"", "Frobnicate of opset1 is not supported here (layer sum)")]
    [InlineData("type=\"Add\" version=\"opset1\"", "type=\"Add\" version=\"opset99\"", "Add of opset99")]
    [InlineData("type=\"Add\" version=\"opset1\"", "type=\"Add\" version=\"extension\"", "Add of extension")]
    [InlineData("offset=\"0\"", "offset=\"4\"", "layer ten (Const, opset1) is malformed: its 8 bytes at 4")]
    [InlineData("offset=\"0\"", "offset=\"-8\"", "layer ten")]
    [InlineData("shape=\"1, 2\"", "shape=\"1, 3\"", "layer ten (Const, opset1) is malformed: it has 8 bytes, and 3 elements")]
    [InlineData("shape=\"1, 2\"", "shape=\"1, x\"", "shape is x")]
    [InlineData("from-layer=\"1\"", "from-layer=\"77\"", "no layer 77")]
    [InlineData("from-layer=\"1\" from-port=\"0\"", "from-layer=\"1\" from-port=\"9\"", "no output port 9")]
    [InlineData("from-layer=\"1\" from-port=\"0\"", "from-layer=\"3\" from-port=\"2\"", "circle of edges")]
    [InlineData("<edge from-layer=\"1\" from-port=\"0\" to-layer=\"2\" to-port=\"1\"/>", "", "no edge leads to its input port 1")]
    [InlineData("id=\"1\" name=\"ten\"", "id=\"0\" name=\"ten\"", "two layers have the identifier 0")]
    [InlineData("precision=\"FP32\" names=\"sum\"", "precision=\"NF4\" names=\"sum\"", "layer sum has values of type NF4")]
    [InlineData("<dim>1</dim>", "<dim>-5</dim>", "a size of -5")]
    [InlineData("auto_broadcast=\"numpy\"", "auto_broadcast=\"odd\"", "layer sum (Add, opset1) is malformed: auto_broadcast is odd")]
    [InlineData("<?xml version=\"1.0\"?>", "<?xml version=\"1.0\"?><!DOCTYPE net [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>", "XML cannot be read")]
    public void Names_what_is_wrong_with_a_model(string old, string changed, string message)
    {
        var text = IrText.AddAndMultiply.Replace(old, changed, StringComparison.Ordinal);
        Assert.NotEqual(IrText.AddAndMultiply, text);

        var refusal = Assert.Throws<NnException>(() => IrConverter.Convert(IrReader.Read(Encoding.UTF8.GetBytes(text)), new byte[8]));

        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_damaged_models_as_damaged_and_in_no_other_way()
    {
        var random = new Random(3);
        var whole = Encoding.UTF8.GetBytes(IrText.AddAndMultiply);
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = whole.AsSpan().ToArray();
            for (var change = random.Next(3); change >= 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
            try
            {
                IrConverter.Convert(IrReader.Read(bytes), new byte[8]);
            }
            catch (NnException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }
}
