Console.Error.WriteLine("millrace: no commands yet");
return 2;
