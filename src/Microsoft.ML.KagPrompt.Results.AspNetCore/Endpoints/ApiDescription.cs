using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Microsoft.ML.KagPrompt.Results.AspNetCore.Endpoints;

/// <summary>What the OpenAPI document says beside what it reads off the endpoints.</summary>
internal static class ApiDescription
{
    public const string DocumentName = "kagprompt-results";

    private const string Scheme = "key";

    public static void Describe(OpenApiOptions options)
    {
        options.ShouldInclude = description => description.GroupName == DocumentName;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "Inspection results", Version = "1" };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key: kag_ID_SECRET.",
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
            return Task.CompletedTask;
        });
    }

    /// <summary>The form that a result is recorded with.</summary>
    public static Task DescribeUpload(OpenApiOperation operation)
    {
        var json = new OpenApiSchema { Type = JsonSchemaType.Object, Description = "The result: id, product, modelVersion, time, score, isAnomalous, and what else is known." };
        var file = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", Description = "The picture's file; its name is not looked at." };
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["multipart/form-data"] = new()
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Required = new HashSet<string> { "record" },
                        Properties = new Dictionary<string, IOpenApiSchema> { ["record"] = json, ["picture"] = file },
                    },
                },
            },
        };
        return Task.CompletedTask;
    }
}
